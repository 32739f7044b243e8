/** What jobs leave behind goes after its time: those that ended, with their outcomes, and files that never became a job. */
import type { Database } from "../database/database.ts";

/** A job may have as many outcomes as a file has rows: few at once. */
const JOBS_AT_ONCE = 5;
const FILES_AT_ONCE = 5;
/** A file is brought in minutes; its job is asked for at once. */
const STRAY_FILE_MS = 86_400_000;

const FORGET = {
  name: "forget_jobs", // job_ended
  text: `delete from job where id in (select id from job where ended_at < $1 order by ended_at limit ${JOBS_AT_ONCE})`,
};
const DROP_STRAYS = {
  name: "drop_stray_job_files", // job_file_by_age, job_deadline
  text: `delete from job_file where id in (
           select f.id from job_file f where f.made_at < $1
              and not exists (select from job j where j.deadline_at is not null and j.file_id = f.id)
            order by f.made_at limit ${FILES_AT_ONCE})`,
};

/** Answers whether there is more. */
export async function forgetJobs(database: Database, now: Date, keptDays: number): Promise<boolean> {
  const jobs = await database.run(FORGET, [new Date(now.getTime() - keptDays * 86_400_000)]);
  const files = await database.run(DROP_STRAYS, [new Date(now.getTime() - STRAY_FILE_MS)]);
  return jobs === JOBS_AT_ONCE || files === FILES_AT_ONCE;
}
