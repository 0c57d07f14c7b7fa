/** The version of this program; a test holds it to the manifest. */
export const PROGRAM_VERSION = '0.1.0';
