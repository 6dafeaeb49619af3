/** Vite's: the address at which it serves a file. */
declare module '*?url' {
  const url: string;
  export default url;
}
