/** The same answer, after which the connection is closed. */
export function perRequestConnections(response: Response): Response {
  response.headers.set('connection', 'close');
  return response;
}
