import { createTheme, type MantineColorsTuple } from '@mantine/core';

/** The sea under the bird … */
const sea: MantineColorsTuple = [
  '#eaf5fa',
  '#d5e8f1',
  '#a7d0e4',
  '#76b7d7',
  '#4fa2cc',
  '#3895c5',
  '#247fae',
  '#1d6a92',
  '#155a7e',
  '#024b6b',
];
/** … and its bill. */
const bill: MantineColorsTuple = [
  '#ffeeea',
  '#fbdcd6',
  '#f2b7ab',
  '#ea8f7d',
  '#e46d56',
  '#e0573d',
  '#d4452b',
  '#b93a23',
  '#a5321d',
  '#902715',
];

export const theme = createTheme({
  colors: { sea, bill },
  primaryColor: 'sea',
  primaryShade: { light: 7, dark: 5 },
  autoContrast: true,
  defaultRadius: 'md',
  fontFamily: "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif",
  headings: { fontFamily: "'Iowan Old Style', 'Palatino Linotype', Palatino, Charter, Georgia, serif", fontWeight: '600' },
  cursorType: 'pointer',
  respectReducedMotion: true,
});
