import {
  type Context,
  type Span as OtelSpan,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { DbError, type Span, type SpanAttributes } from '@terndb/core';
import { degraded, type Finding, type HealthCheck, OK } from '../node/health/finding.ts';
import type { Traces } from './traces.ts';

/** Spans that wait for a collector; more are dropped: a collector that is away must not cost memory. */
const MAX_WAITING = 4_096;
const BATCH = 512;
const SEND_EVERY_MS = 2_000;
const SEND_TIMEOUT_MS = 5_000;
/** version 00, trace id, parent id, flags; zeros are no ids (W3C Trace Context, 3.2). */
const TRACEPARENT = /^00-(?!0{32})([\da-f]{32})-(?!0{16})([\da-f]{16})-([\da-f]{2})$/;

/** Traces by OpenTelemetry's SDK to a collector, OTLP over HTTP (JSON). */
export class OtlpTraces implements Traces {
  readonly #provider: TracerProvider;
  readonly #tracer: Tracer;
  /** Whether the last batch was taken. */
  #isTaken = true;
  readonly check: HealthCheck = (): Finding =>
    this.#isTaken ? OK : degraded('the collector took nothing of the last batch: spans are dropped');

  constructor({ endpoint, sampleRatio }: { readonly endpoint: string; readonly sampleRatio: number }) {
    const exporter = new OTLPTraceExporter({ url: endpoint, timeoutMillis: SEND_TIMEOUT_MS });
    this.#provider = new TracerProvider({
      resource: resourceFromAttributes({ 'service.name': 'terndb' }),
      sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(sampleRatio) }),
      spanProcessors: [
        new BatchSpanProcessor({
          exporter: told(exporter, (isTaken) => {
            this.#isTaken = isTaken;
          }),
          maxQueueSize: MAX_WAITING,
          maxExportBatchSize: BATCH,
          scheduledDelayMillis: SEND_EVERY_MS,
          exportTimeoutMillis: SEND_TIMEOUT_MS,
        }),
      ],
    });
    this.#tracer = this.#provider.getTracer('terndb');
  }

  begin(name: string, traceparent: string | undefined, attributes: SpanAttributes): Span | undefined {
    const span = this.#tracer.startSpan(name, { kind: SpanKind.SERVER, attributes }, parentOf(traceparent));
    return span.isRecording() ? new OtlpSpan(this.#tracer, span) : undefined;
  }

  async close(): Promise<void> {
    await this.#provider.shutdown().catch(() => {});
  }
}

class OtlpSpan implements Span {
  readonly #tracer: Tracer;
  readonly #span: OtelSpan;

  constructor(tracer: Tracer, span: OtelSpan) {
    this.#tracer = tracer;
    this.#span = span;
  }

  child(name: string, attributes: SpanAttributes = {}): Span {
    const within = trace.setSpan(ROOT_CONTEXT, this.#span);
    return new OtlpSpan(this.#tracer, this.#tracer.startSpan(name, { attributes }, within));
  }

  set(attributes: SpanAttributes): void {
    this.#span.setAttributes(attributes);
  }

  end(error?: unknown): void {
    if (error !== undefined) {
      // A message may hold what was asked for.
      const { code } = DbError.from(error);
      this.#span.setStatus({ code: SpanStatusCode.ERROR, message: code });
    }
    this.#span.end();
  }
}

/** The exporter, and how each batch ended. */
function told(exporter: SpanExporter, tell: (isTaken: boolean) => void): SpanExporter {
  return {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        tell(result.error === undefined && result.code === 0);
        done(result);
      }),
    shutdown: () => exporter.shutdown(),
    forceFlush: async () => exporter.forceFlush?.(),
  };
}

function parentOf(traceparent: string | undefined): Context {
  const [, traceId, spanId, flags] = TRACEPARENT.exec(traceparent ?? '') ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return ROOT_CONTEXT;
  const traceFlags = Number.parseInt(flags, 16) & TraceFlags.SAMPLED;
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags, isRemote: true });
}
