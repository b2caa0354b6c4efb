/**
 * For tests of deployments: any legal order of deliveries, chosen by a seed, and no real time.
 *
 * ```ts
 * const schedule = new SeededScheduler(seed);
 * const host = createHost({ clock: schedule, backends, guests });
 * await schedule.run(host.start());
 * await schedule.run(host[Symbol.asyncDispose]());
 * ```
 *
 * Give modules as bytes, and backends that wait on nothing but the clock: whatever else takes real time is not in the
 * seed's hands.
 *
 * @packageDocumentation
 */
export { SeededScheduler } from "./seeded-scheduler.ts";
