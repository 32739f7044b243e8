/** POST /v1/orders/:id/resend. */
import Type from "typebox";
import { accepted, route } from "../../route.ts";
import { id } from "../../schema.ts";

export const resendOrder = route({
  method: "POST",
  path: "/v1/orders/:id/resend",
  summary: "Send once more what is not yet at its level",
  tag: "orders",
  roles: ["admin", "engineer", "care"],
  errors: ["order_not_found", "order_closed", "nothing_to_resend", "settings_unconfirmed"],
  status: 202,
  once: "door",
  params: { id: id("Of the order.") },
  answer: Type.Object({ orderId: Type.String() }),
  async handle({ orderDesk, audit }, { params, caller }) {
    await orderDesk.resend(caller.operatorId, params.id, caller.label);
    await audit.record(caller.operatorId, {
      actor: caller.label,
      action: "order.resend",
      subject: params.id,
    });
    return accepted({ orderId: params.id });
  },
});
