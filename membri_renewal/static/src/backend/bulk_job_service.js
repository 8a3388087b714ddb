import {reactive} from "@odoo/owl";
import {browser} from "@web/core/browser/browser";
import {_t} from "@web/core/l10n/translation";
import {registry} from "@web/core/registry";
import {session} from "@web/session";

const MODEL = "membri.bulk.job";
// only where the live messages of the bus do not come through
const POLL_DELAY = 10000;

/**
 * The background work that the user has asked for, known on every page of the web client:
 * from the session at first, then live from the bus, else by asking now and then.
 */
export class BulkJobService {
    constructor(env, {action, bus_service: bus, notification, orm}) {
        this.env = env;
        this.action = action;
        this.notification = notification;
        this.orm = orm;
        this.running = reactive({});
        for (const job of session.membri_bulk_jobs || []) {
            this.running[job.id] = job;
        }
        bus.subscribe("membri_bulk_job", (job) => this.update(job));
        this.schedulePoll();
    }

    get jobs() {
        return Object.values(this.running);
    }

    /**
     * @param {Object} job as `membri.bulk.job._get_progress` describes it
     */
    update(job) {
        const wasRunning = job.id in this.running;
        if (job.state === "running") {
            this.running[job.id] = job;
        } else {
            delete this.running[job.id];
            if (wasRunning && job.state === "finished") {
                this.tell(job);
            }
        }
        this.schedulePoll();
    }

    schedulePoll() {
        browser.clearTimeout(this.timer);
        if (this.jobs.length) {
            this.timer = browser.setTimeout(() => this.poll(), POLL_DELAY);
        }
    }

    async poll() {
        const ids = this.jobs.map((job) => job.id);
        if (document.hidden) {
            return this.schedulePoll();
        }
        const jobs = await this.orm.silent.call(MODEL, "get_progress", [ids]);
        for (const job of jobs) {
            this.update(job);
        }
    }

    tell(job) {
        const failed = job.skipped_count + job.failed_count;
        this.notification.add(
            failed
                ? _t("Processed: %(done)s. Failed: %(failed)s.", {done: job.done_count, failed})
                : _t("Processed: %(done)s.", {done: job.done_count}),
            {
                title: _t("%(job)s is finished", {job: job.name}),
                type: failed ? "warning" : "success",
                sticky: true,
                buttons: [
                    {name: _t("View Result"), primary: true, onClick: () => this.open([job.id])},
                ],
            },
        );
    }

    open(ids) {
        const one = ids.length === 1;
        return this.action.doAction({
            type: "ir.actions.act_window",
            name: _t("Background Jobs"),
            res_model: MODEL,
            views: one
                ? [[false, "form"]]
                : [
                      [false, "list"],
                      [false, "form"],
                  ],
            res_id: one ? ids[0] : false,
            domain: one ? [] : [["id", "in", ids]],
        });
    }
}

registry.category("services").add("membri_bulk_job", {
    dependencies: ["action", "bus_service", "notification", "orm"],
    start: (env, services) => new BulkJobService(env, services),
});
