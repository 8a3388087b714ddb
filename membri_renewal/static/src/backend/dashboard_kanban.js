import {onWillStart, useState} from "@odoo/owl";
import {registry} from "@web/core/registry";
import {user} from "@web/core/user";
import {useService} from "@web/core/utils/hooks";
import {kanbanView} from "@web/views/kanban/kanban_view";

/**
 * Above the dashboards of an organization that has not begun: its first steps, for those who may
 * do them. They go by the facts, so they are read anew whenever the dashboards are opened.
 */
export class DashboardKanbanRenderer extends kanbanView.Renderer {
    static template = "membri_renewal.DashboardKanbanRenderer";

    setup() {
        super.setup();
        this.orm = useService("orm");
        this.action = useService("action");
        this.first = useState({steps: []});
        onWillStart(async () => {
            const {records} = this.props.list;
            const isUnused = records.length && records.every((record) => record.data.is_unused);
            if (isUnused && (await user.hasGroup("membri_renewal.group_membri_manager"))) {
                await this.readSteps();
            }
        });
    }

    async readSteps() {
        this.first.steps = await this.orm.searchRead(
            "membri.setup.step",
            [],
            ["name", "is_done", "missing"],
        );
    }

    /** As a button of a view does it: the words of an empty list are marked up, and what was done
     * in a window is ticked once it is closed. */
    async openStep(step) {
        await this.action.doActionButton({
            type: "object",
            name: "action_open",
            resModel: "membri.setup.step",
            resId: step.id,
            resIds: [step.id],
            context: {...user.context},
            onClose: () => this.readSteps(),
        });
    }
}

registry.category("views").add("membri_renewal_dashboards", {
    ...kanbanView,
    Renderer: DashboardKanbanRenderer,
});
