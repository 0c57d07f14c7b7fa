import { STATUS_CODES, validateHeaderName, validateHeaderValue } from 'node:http';

/** An interim response as it goes over the wire, latin1. A header that may not be written is left out. @see RFC 9110 section 15.2 */
export function interimResponse(status: number, headers: readonly string[]): string {
  let text = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n`;
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index]!;
    const value = headers[index + 1]!;
    if (isWritable(name, value)) text += `${name}: ${value}\r\n`;
  }
  return `${text}\r\n`;
}

/** 101 as it goes over the wire, latin1. @throws where a header may not be written */
export function switchingResponse(headers: readonly string[]): string {
  for (let index = 0; index < headers.length; index += 2) {
    validateHeaderName(headers[index]!);
    validateHeaderValue(headers[index]!, headers[index + 1]!);
  }
  return interimResponse(101, headers);
}

// Node checks the headers of answers, but these bytes go past it: a line break in one would split the response.
function isWritable(name: string, value: string): boolean {
  try {
    validateHeaderName(name);
    validateHeaderValue(name, value);
    return true;
  } catch {
    // Node's way of saying no.
    return false;
  }
}
