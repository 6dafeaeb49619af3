import type { Span, SpanAttributes } from '@terndb/core';
import type { Config } from '../config/config.ts';
import type { HealthCheck } from '../node/health/finding.ts';

/** Where the spans of requests begin. */
export interface Traces {
  /**
   * The span of a request, as a part of its caller's trace if `traceparent` (W3C) names one, which then decides whether it is sampled. Undefined: it is
   * not.
   */
  begin(name: string, traceparent: string | undefined, attributes: SpanAttributes): Span | undefined;
  /** Whether the collector takes them. */
  readonly check: HealthCheck;
  /** Sends what has ended, for a while; what cannot be sent is dropped. */
  close(): Promise<void>;
}

/** Undefined without an endpoint: nothing of OpenTelemetry is loaded then. */
export async function openTraces({ endpoint, sampleRatio }: Config['traces']): Promise<Traces | undefined> {
  if (endpoint === undefined) return undefined;
  const { OtlpTraces } = await import('./otlp-traces.ts');
  return new OtlpTraces({ endpoint, sampleRatio });
}
