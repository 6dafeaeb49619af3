import { BarChart } from '@mantine/charts';
import { formatCount, topicLabel } from '../app/format.ts';
import type { Facet } from '../library/facets.ts';
import { Section } from './section.tsx';

const SHOWN = 15;
const BAR_PX = 26;
/** Room for the number beside the longest bar. */
const LABEL_PX = 48;

export function TopicsChart({ topics, onTopic }: { topics: readonly Facet[]; onTopic: (topic: string) => void }) {
  const shown = topics.slice(0, SHOWN);
  const data = shown.map(({ value, count }) => ({ topic: topicLabel(value), value, passages: count }));
  return (
    <Section
      title="Passages by topic"
      hint={topics.length > SHOWN ? `The ${SHOWN} largest of ${topics.length}; click a bar to see it` : 'Click a bar to see it'}
    >
      <BarChart
        h={chartHeight(shown.length)}
        data={data}
        dataKey="topic"
        orientation="vertical"
        gridAxis="none"
        tickLine="none"
        withXAxis={false}
        withBarValueLabel
        barChartProps={{ margin: { right: LABEL_PX } }}
        yAxisProps={{ width: 165, interval: 0 }}
        barProps={{
          radius: [0, 5, 5, 0],
          cursor: 'pointer',
          onClick: (bar: { payload?: { value?: string } }) => bar.payload?.value !== undefined && onTopic(bar.payload.value),
        }}
        series={[{ name: 'passages', label: 'Passages', color: 'sea.5' }]}
        valueFormatter={(value) => formatCount(value)}
      />
    </Section>
  );
}

function chartHeight(bars: number): number {
  return 16 + bars * BAR_PX;
}
