import type { Bus } from '@terndb/core';

/** Tabs of one origin talk over BroadcastChannels, one per topic. */
export class BroadcastBus implements Bus {
  readonly #channels = new Map<string, BroadcastChannel>();

  publish(topic: string, message: unknown): void {
    this.#channel(topic).postMessage(message);
  }

  subscribe(topic: string, listener: (message: unknown) => void): () => void {
    const channel = this.#channel(topic);
    const onMessage = (event: MessageEvent): void => listener(event.data);
    channel.addEventListener('message', onMessage);
    return () => channel.removeEventListener('message', onMessage);
  }

  close(): void {
    for (const channel of this.#channels.values()) channel.close();
    this.#channels.clear();
  }

  #channel(topic: string): BroadcastChannel {
    let channel = this.#channels.get(topic);
    if (channel === undefined) {
      channel = new BroadcastChannel(topic);
      this.#channels.set(topic, channel);
    }
    return channel;
  }
}
