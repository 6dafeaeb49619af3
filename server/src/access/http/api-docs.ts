import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';

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
      components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer', description: 'user:password, or a JSON Web Token' } } },
    },
  });
  await http.register(swaggerUi, { routePrefix: '/docs/api', staticCSP: true, uiConfig: { docExpansion: 'none' } });
  http.get('/openapi.json', { schema: { hide: true } }, async () => http.swagger());
}
