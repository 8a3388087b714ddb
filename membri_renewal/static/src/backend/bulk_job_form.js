import {onMounted, onWillUnmount} from "@odoo/owl";
import {browser} from "@web/core/browser/browser";
import {registry} from "@web/core/registry";
import {useService} from "@web/core/utils/hooks";
import {formView} from "@web/views/form/form_view";

const REFRESH_DELAY = 3000;

/**
 * Shows the progress of background work: reloads the job while there is something to do.
 */
export class BulkJobFormController extends formView.Controller {
    setup() {
        super.setup();
        this.bulkJobs = useService("membri_bulk_job");
        onMounted(() => {
            this.tellTray();
            this.refreshTimer = browser.setInterval(() => this.refresh(), REFRESH_DELAY);
        });
        onWillUnmount(() => browser.clearInterval(this.refreshTimer));
    }

    get isRunning() {
        const {root} = this.model;
        return Boolean(root?.resId) && root.data.state === "running";
    }

    /** Of work that was stopped, the batch that was under way is still to be told. */
    get isUnfinished() {
        const {root} = this.model;
        return Boolean(root?.resId) && ["running", "stopped"].includes(root.data.state);
    }

    /** What is being entered, e.g. in a preview that was stopped, is not thrown away. */
    async refresh() {
        if (!this.isUnfinished || document.hidden || (await this.model.root.isDirty())) {
            return;
        }
        // it was waited for: another record may be shown by now
        if (this.isUnfinished) {
            await this.model.root.load();
            this.tellTray();
        }
    }

    /** The tray knows of the work as soon as its page is open, even without live messages. */
    tellTray() {
        const {resId, data} = this.model.root;
        if (this.isRunning && data.is_mine) {
            this.bulkJobs.update({id: resId, ...data});
        }
    }
}

registry.category("views").add("membri_bulk_job_form", {
    ...formView,
    Controller: BulkJobFormController,
});
