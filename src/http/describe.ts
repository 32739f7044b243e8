/** The API's description without a server behind it: for what is made from it, such as the console's types. */
import fastify from "fastify";
import { createMeasures } from "./measures.ts";
import { describeApi } from "./openapi.ts";
import { routesOf } from "./routes.ts";
import { sharedSchemas } from "./schema.ts";
import { schemaOf } from "./server.ts";

/** OpenAPI 3.1, the same that `/openapi.json` answers. */
export async function describedApi(): Promise<unknown> {
  const server = fastify();
  const routes = routesOf({ measures: createMeasures(), description: () => ({}) });
  for (const [name, schema] of sharedSchemas()) server.addSchema({ ...schema, $id: name });
  server.setValidatorCompiler(() => () => true); // nothing is asked of it
  await describeApi(server, routes);
  for (const route of routes)
    server.route({
      method: route.method,
      url: route.path,
      schema: schemaOf(route),
      handler: async () => undefined,
    });
  await server.ready();
  return server.swagger();
}
