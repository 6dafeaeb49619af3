import { BarChart } from '@mantine/charts';
import { useEffect, useState } from 'react';
import { formatCount } from '../app/format.ts';
import { usePassages } from '../library/library-context.tsx';
import { DAYS, type DayCount, readAddedPerDay } from './added-per-day.ts';
import { Section } from './section.tsx';

const dayName = new Intl.DateTimeFormat('en', { day: 'numeric', month: 'short' });

export function AddedChart({ total }: { total: number }) {
  const passages = usePassages();
  const [days, setDays] = useState<readonly DayCount[]>([]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: counted again when the library has grown or shrunk.
  useEffect(() => {
    let current = true;
    readAddedPerDay(passages, new Date()).then(
      (next) => current && setDays(next),
      () => undefined,
    );
    return () => {
      current = false;
    };
  }, [passages, total]);
  return (
    <Section title="Added" hint={`Passages per day, the last ${DAYS} days`}>
      <BarChart
        h={170}
        data={days.map(({ day, added }) => ({ day: dayName.format(day), added }))}
        dataKey="day"
        series={[{ name: 'added', label: 'Added', color: 'sea.5' }]}
        barProps={{ radius: [5, 5, 0, 0] }}
        valueFormatter={(value) => formatCount(value)}
      />
    </Section>
  );
}
