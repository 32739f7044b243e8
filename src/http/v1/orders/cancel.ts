/** POST /v1/orders/:id/cancel. */
import Type from "typebox";
import { accepted, route } from "../../route.ts";
import { id } from "../../schema.ts";

export const cancelOrder = route({
  method: "POST",
  path: "/v1/orders/:id/cancel",
  summary: "End an order; what is on its way is not called back",
  tag: "orders",
  roles: ["admin", "engineer", "care"],
  errors: ["order_not_found", "order_closed"],
  status: 202,
  once: "door",
  params: { id: id("Of the order.") },
  answer: Type.Object({ orderId: Type.String() }),
  async handle({ orderDesk, audit }, { params, caller }) {
    await orderDesk.cancel(caller.operatorId, params.id, caller.label);
    await audit.record(caller.operatorId, {
      actor: caller.label,
      action: "order.cancel",
      subject: params.id,
    });
    return accepted({ orderId: params.id });
  },
});
