const TITLE_CHARS = 60;

/** The first words of a text, for passages that have no title of their own. */
export function titleFrom(body: string): string {
  const line = body.trimStart().split('\n', 1)[0]!.replace(/\s+/g, ' ').trim();
  if (line.length <= TITLE_CHARS) return line;
  const cut = line.lastIndexOf(' ', TITLE_CHARS);
  return `${line.slice(0, cut > TITLE_CHARS / 2 ? cut : TITLE_CHARS)}…`;
}

/** `notes/my-file.md` → `my-file`. */
export function baseName(fileName: string): string {
  return fileName.replace(/^.*[\\/]/, '').replace(/\.[^.]+$/, '') || fileName;
}
