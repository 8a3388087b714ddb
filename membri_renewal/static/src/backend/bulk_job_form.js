import {onMounted, onWillUnmount} from "@odoo/owl";
import {browser} from "@web/core/browser/browser";
import {registry} from "@web/core/registry";
import {formView} from "@web/views/form/form_view";

const REFRESH_DELAY = 3000;

/**
 * Shows the progress of background work: reloads the job while there is something to do.
 */
export class BulkJobFormController extends formView.Controller {
    setup() {
        super.setup();
        onMounted(() => {
            this.refreshTimer = browser.setInterval(() => this.refresh(), REFRESH_DELAY);
        });
        onWillUnmount(() => browser.clearInterval(this.refreshTimer));
    }

    async refresh() {
        const {root} = this.model;
        if (root?.resId && root.data.state === "running" && !document.hidden) {
            await root.load();
        }
    }
}

registry.category("views").add("membri_bulk_job_form", {
    ...formView,
    Controller: BulkJobFormController,
});
