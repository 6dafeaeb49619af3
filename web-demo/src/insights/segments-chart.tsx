import { BarChart } from '@mantine/charts';
import type { Inspection } from '@terndb/client';
import { formatBytes, formatCount } from '../app/format.ts';
import { Section } from './section.tsx';

const BAR_PX = 34;

/** Rows as the engine holds them: sealed segments, each with its deleted rows, and the growing rest. */
export function SegmentsChart({ inspection }: { inspection: Inspection }) {
  const segments = inspection.partitions.flatMap((partition) => partition.segments);
  const growing = inspection.partitions.reduce((sum, partition) => sum + partition.growing, 0);
  const bytes = segments.reduce((sum, segment) => sum + segment.bytes, 0);
  const sealed =
    segments.length === 0
      ? 'Everything is still growing: too little for a sealed segment'
      : `${formatCount(segments.length, 'sealed segment')} of ${formatBytes(bytes)}`;
  const data = [
    ...segments.map(({ id, rows, deleted }) => ({ segment: id.slice(0, 6), live: rows - deleted, deleted, growing: 0 })),
    { segment: 'growing', live: 0, deleted: 0, growing },
  ];
  return (
    <Section title="Segments" hint={`${sealed}. WebAssembly memory: ${formatBytes(inspection.wasmBytes)}.`}>
      <BarChart
        h={72 + data.length * BAR_PX}
        data={data}
        dataKey="segment"
        type="stacked"
        orientation="vertical"
        gridAxis="none"
        tickLine="none"
        withLegend
        yAxisProps={{ width: 70 }}
        series={[
          { name: 'live', label: 'Live', color: 'sea.5' },
          { name: 'deleted', label: 'Deleted', color: 'gray.5' },
          { name: 'growing', label: 'Growing', color: 'bill.4' },
        ]}
        valueFormatter={(value) => formatCount(value)}
      />
    </Section>
  );
}
