import {Component, useEffect, useState} from "@odoo/owl";
import {browser} from "@web/core/browser/browser";
import {registry} from "@web/core/registry";
import {useService} from "@web/core/utils/hooks";

/**
 * Says on every page that work goes on in the background, and how far it is.
 */
export class BulkJobTray extends Component {
    static template = "membri_renewal.BulkJobTray";
    static props = {};

    setup() {
        this.service = useService("membri_bulk_job");
        this.running = useState(this.service.running);
        // the bar of menus makes room, as when the window gets narrower
        useEffect(
            () => {
                browser.dispatchEvent(new window.Event("resize"));
            },
            () => [this.jobs.length > 0],
        );
    }

    get jobs() {
        return Object.values(this.running);
    }

    get progress() {
        const total = this.jobs.reduce((sum, job) => sum + job.progress, 0);
        return Math.floor(total / this.jobs.length);
    }

    get title() {
        return this.jobs.map((job) => `${job.name}: ${job.progress} %`).join("\n");
    }

    onClick() {
        return this.service.open(this.jobs.map((job) => job.id));
    }
}

registry
    .category("systray")
    .add("membri_renewal.BulkJobTray", {Component: BulkJobTray}, {sequence: 30});
