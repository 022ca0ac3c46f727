/**
 * Spans of jobs over OTLP/HTTP, by bullmq-otel. Off unless OTEL_EXPORTER_OTLP_ENDPOINT (or its _TRACES_ form) is set;
 * OTEL_EXPORTER_OTLP_HEADERS, OTEL_SERVICE_NAME and OTEL_SDK_DISABLED mean what they mean everywhere.
 */
import type { Telemetry } from 'bullmq';
import { within } from './queues/within.js';

export interface Traces {
  telemetry: Telemetry;
  /** Sends what is left; gives up after a second, since a worker has to end in time. */
  close(): Promise<void>;
}

/** Null where nothing is configured; the packages are loaded only when it is. */
export async function openTraces(env: NodeJS.ProcessEnv): Promise<Traces | null> {
  const wanted = env.OTEL_EXPORTER_OTLP_ENDPOINT || env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT;
  if (!wanted || env.OTEL_SDK_DISABLED === 'true') return null;
  const [
    api,
    { AsyncLocalStorageContextManager },
    core,
    { OTLPTraceExporter },
    resources,
    sdk,
    { BullMQOtel },
  ] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/context-async-hooks'),
    import('@opentelemetry/core'),
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('@opentelemetry/resources'),
    import('@opentelemetry/sdk-trace'),
    import('bullmq-otel'),
  ]);
  const service = resources.resourceFromAttributes({ 'service.name': env.OTEL_SERVICE_NAME || 'stormreel' });
  const provider = new sdk.TracerProvider({
    resource: service,
    spanProcessors: [new sdk.BatchSpanProcessor({ exporter: new OTLPTraceExporter() })],
  });
  api.context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  api.propagation.setGlobalPropagator(new core.W3CTraceContextPropagator());
  api.trace.setGlobalTracerProvider(provider);
  return {
    telemetry: new BullMQOtel({ tracerName: 'stormreel' }) as unknown as Telemetry,
    close: async () => {
      await within(provider.shutdown(), 1_000);
    },
  };
}
