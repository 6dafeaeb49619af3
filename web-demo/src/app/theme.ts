import { createTheme, type MantineColorsTuple, Tooltip } from '@mantine/core';

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

/** Dark surfaces of night sea rather than of coal. */
const dark: MantineColorsTuple = [
  '#d3dbe2',
  '#a3b1bd',
  '#8796a3',
  '#5c6b78',
  '#3a4854',
  '#2c3843',
  '#1f2a35',
  '#161e27',
  '#10161d',
  '#0b1015',
];

export const theme = createTheme({
  colors: { sea, bill, dark },
  primaryColor: 'sea',
  primaryShade: 7,
  autoContrast: true,
  defaultRadius: 'md',
  fontFamily: "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif",
  headings: { fontFamily: "'Iowan Old Style', 'Palatino Linotype', Palatino, Charter, Georgia, serif", fontWeight: '600' },
  cursorType: 'pointer',
  respectReducedMotion: true,
  // Within the header, a landmark, and not at the end of the page.
  components: { Tooltip: Tooltip.extend({ defaultProps: { withinPortal: false } }) },
});
