/** Request and reply between the tabs of one device, or the nodes of a cluster. Messages are structured-cloneable. */
export interface Bus {
  /** Sends to everybody else on the topic; not to the sender itself. No delivery guarantee. */
  publish(topic: string, message: unknown): void;
  /** Returns the way to stop. */
  subscribe(topic: string, listener: (message: unknown) => void): () => void;
}
