import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';

/** Of the page: its own scripts and style sheets, pictures within those, the description, nothing else. It styles elements by script, which needs no word here. */
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Beside the groups of Milvus' routes. */
const TAGS = [
  ['health', 'For those who run the server; nobody is asked who they are, and nothing that is stored is named'],
  ['sync', 'What devices ask beside their socket: channels, reads, tokens'],
  ['downloads', 'Immutable objects, by tickets'],
  ['changes', 'What changes, for other systems'],
] as const;

/** `/openapi.json` and the page `/docs/api`, made from the schemas of the routes that are registered after it. They hold no data: anybody may read them. */
export async function apiDocs(http: FastifyInstance): Promise<void> {
  await http.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Tern',
        description:
          'Below /v2/vectordb: Milvus RESTful v2, whose answers are HTTP 200 with a code of 0, or the number of an error and its message.',
        version: '2',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      tags: TAGS.map(([name, description]) => ({ name, description })),
      components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer', description: 'user:password, or a JSON Web Token' } } },
    },
  });
  await http.register(swaggerUi, {
    routePrefix: '/docs/api',
    staticCSP: PAGE_POLICY,
    uiConfig: { docExpansion: 'none', layout: 'BaseLayout' },
  });
  http.get('/openapi.json', { schema: { hide: true } }, async () => http.swagger());
}
