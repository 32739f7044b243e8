/** POST /v1/policy/comparisons: another operator's list of TACs beside our verdicts, each difference with its reason. */
import Type from "typebox";
import { actingOf } from "../../../kernel/account/person.ts";
import { readFileForm } from "../../form-file.ts";
import { InvalidRequest } from "../../problem.ts";
import { accepted, route } from "../../route.ts";

export const comparePolicy = route({
  method: "POST",
  path: "/v1/policy/comparisons",
  summary:
    "Compare another operator's list of TACs with our verdicts: a job, whose rows say where they differ and why",
  description:
    "multipart/form-data with the `file`: csv with the columns `tac`, and perhaps `verdict` (ended, supported, unknown) and `reason`, or TACs alone, a line each, which are then what the other operator left behind. Nothing is changed. GET /v1/jobs/{id} tells how far it is and the sums, GET /v1/jobs/{id}/rows each difference with the rule of ours that decided, the fact that it saw, whose fact that is and its date: `theirs_only` (no rule of ours says anything of it), `ours_only` (seen on our network and not in their list), `other_verdict` (both say something, and not the same), `refused` (a line that is no row).",
  tag: "policy",
  roles: ["admin", "engineer"],
  errors: ["body_malformed", "input_too_long", "media_type_unsupported"],
  status: 202,
  consumes: ["multipart/form-data"],
  streams: true,
  checksOwnBody: true,
  body: Type.Object({
    file: Type.String({ format: "binary", description: "The list, at most 64 MiB unpacked; gzip is read." }),
  }),
  answer: Type.Object({ jobId: Type.String() }),
  async handle({ imports, policyComparisons }, { caller, request }) {
    const { operatorId } = caller;
    const { fields, file } = await readFileForm(imports, operatorId, request, "-F file=@their-tacs.csv");
    if (!file) throw new InvalidRequest([{ at: "body/file", wanted: "is missing: the list of TACs" }]);
    try {
      if (fields.size > 0) throw new InvalidRequest([{ at: "body", wanted: "holds no field but file" }]);
      const { id: fileId, sha256, fileName } = file;
      const asked = { fileId, sha256, fileName: fileName.slice(0, 80), askedBy: actingOf(caller) };
      return accepted({ jobId: await policyComparisons.ask(operatorId, asked) });
    } catch (error) {
      await imports.drop(operatorId, file.id);
      throw error;
    }
  },
});
