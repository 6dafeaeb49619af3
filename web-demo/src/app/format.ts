const number = new Intl.NumberFormat('en');
const date = new Intl.DateTimeFormat('en', { dateStyle: 'medium' });
const UNITS = ['B', 'KB', 'MB', 'GB', 'TB'];

export function formatCount(count: number, noun?: string): string {
  const text = number.format(Math.round(count));
  return noun === undefined ? text : `${text} ${noun}${count === 1 ? '' : 's'}`;
}

export function formatBytes(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log(bytes) / Math.log(1000)), UNITS.length - 1);
  const value = bytes / 1000 ** power;
  return `${value.toFixed(value >= 100 || power === 0 ? 0 : 1)} ${UNITS[power]}`;
}

export function formatDate(value: Date): string {
  return date.format(value);
}

/** `noun.animal` → `Animal (noun)`, the sample's topics; anything else as it is. */
export function topicLabel(topic: string): string {
  const match = /^(noun|verb|adj|adv)\.(.+)$/.exec(topic);
  if (match === null) return topic;
  const name = LEXICOGRAPHER_NAMES[topic] ?? match[2]!;
  return `${name[0]!.toUpperCase()}${name.slice(1)} (${match[1]})`;
}

/** Names that say little by themselves. */
const LEXICOGRAPHER_NAMES: Readonly<Record<string, string>> = {
  'noun.tops': 'basics',
  'adj.all': 'qualities',
  'adj.pert': 'pertaining to',
  'adj.ppl': 'participles',
  'adv.all': 'manner',
};
