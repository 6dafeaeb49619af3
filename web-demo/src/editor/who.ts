export interface Who {
  readonly name: string;
  /** Of cursor and name tag; dark enough for white letters. */
  readonly color: string;
  /** Of a selection. */
  readonly colorLight: string;
}

const WHO_KEY = 'tern-library:who';
const BIRDS = [
  'Avocet',
  'Curlew',
  'Dunlin',
  'Fulmar',
  'Gannet',
  'Kittiwake',
  'Lapwing',
  'Osprey',
  'Puffin',
  'Sanderling',
  'Whimbrel',
  'Wigeon',
];
const COLORS = ['#1d5b79', '#8a3b12', '#3f6b2a', '#7a2f6b', '#5b4a9c', '#9c2f3f', '#2a6b66', '#6b5a12'];

/** Everybody who opens the demo is one subject to the server; a bird's name tells the browsers apart. Kept, so that a reload is the same bird. */
export function whoAmI(): Who {
  const index = Number.parseInt(localStorage.getItem(WHO_KEY) ?? '', 10);
  if (Number.isSafeInteger(index) && index >= 0) return whoIs(index);
  const drawn = crypto.getRandomValues(new Uint16Array(1))[0]!;
  localStorage.setItem(WHO_KEY, String(drawn));
  return whoIs(drawn);
}

function whoIs(index: number): Who {
  const color = COLORS[index % COLORS.length]!;
  return { name: BIRDS[index % BIRDS.length]!, color, colorLight: `${color}33` };
}
