/** Tests compare documents with the constants they describe. */
declare module '*.md?raw' {
  const text: string;
  export default text;
}
