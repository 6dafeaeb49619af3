import '@mantine/charts/styles.css';
import { SideDrawer } from '../app/side-drawer.tsx';
import type { Facets } from '../library/facets.ts';
import { AddedChart } from './added-chart.tsx';
import { LibrarySection } from './library-section.tsx';
import { SegmentsChart } from './segments-chart.tsx';
import { StorageSection } from './storage-section.tsx';
import { TopicsChart } from './topics-chart.tsx';
import { useInspection } from './use-inspection.ts';

interface Props {
  facets: Facets;
  onClose: () => void;
  onTopic: (topic: string) => void;
}

/** What is in the library, where it is kept and in which shape. The default export is what `lazy` loads. */
export default function InsightsDrawer({ facets, onClose, onTopic }: Props) {
  const inspection = useInspection();
  return (
    <SideDrawer opened onClose={onClose} title="Library and storage">
      <LibrarySection total={facets.total} />
      <StorageSection />
      {facets.topics.length > 0 && <TopicsChart topics={facets.topics} onTopic={onTopic} />}
      {facets.total > 0 && <AddedChart total={facets.total} />}
      {inspection !== null && facets.total > 0 && <SegmentsChart inspection={inspection} />}
    </SideDrawer>
  );
}
