/** ISO 8601 as the language writes it: a date, or a date and a time, with or without seconds, fraction and zone. Without a zone: UTC. */
const MOMENT = /^([+-]\d{6}|\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|[+-]\d\d:\d\d)?)?$/;
const INTERVAL = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d{1,3})?)S)?)?$/;
/** Years and months have no fixed length. */
const CALENDAR_INTERVAL = /^P(?:\d+Y)?(?:\d+M)?(?:\d+D)?(?:T.*)?$/;
const LONGEST = 64;

/** Milliseconds since 1970, or undefined for a text that is no moment. Digits behind the millisecond are dropped. */
export function parseMoment(text: string): number | undefined {
  const match = text.length > LONGEST ? null : MOMENT.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour = '00', minute = '00', second = '00', fraction = '', zone = 'Z'] = match;
  // Date.parse takes the 31st of February for a day of March.
  if (Number(day) > daysOf(Number(year), Number(month))) return undefined;
  const ms = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}.${fraction.slice(0, 3).padEnd(3, '0')}${zone}`);
  return Number.isNaN(ms) ? undefined : ms;
}

function daysOf(year: number, month: number): number {
  return month < 1 || month > 12 ? 0 : new Date(Date.UTC(2000 + (((year % 400) + 400) % 400), month, 0)).getUTCDate();
}

/** Milliseconds of an ISO 8601 duration of days, hours, minutes and seconds. */
export function parseInterval(text: string): number | 'calendar' | undefined {
  if (text.length > LONGEST || /[PT]$/.test(text)) return undefined;
  const match = INTERVAL.exec(text);
  if (match === null) return CALENDAR_INTERVAL.test(text) ? 'calendar' : undefined;
  const [, days = '0', hours = '0', minutes = '0', seconds = '0'] = match;
  const ms = Number(days) * 86_400_000 + Number(hours) * 3_600_000 + Number(minutes) * 60_000 + Math.round(Number(seconds) * 1000);
  return Number.isSafeInteger(ms) ? ms : undefined;
}
