import {registry} from "@web/core/registry";
import {listView} from "@web/views/list/list_view";

/**
 * A window on a selection that is closed without doing anything leaves the selection as it was:
 * what is loaded again and has not changed is selected again.
 */
export class RenewalListController extends listView.Controller {
    get modelParams() {
        const params = super.modelParams;
        return {
            ...params,
            hooks: {...params.hooks, onRootLoaded: () => this.selectAgain()},
        };
    }

    async beforeExecuteActionButton(clickParams) {
        const {root} = this.model;
        this.remembered = {
            everything: root.isDomainSelected,
            days: new Map(root.selection.map((record) => [record.resId, this.getDay(record)])),
        };
        return super.beforeExecuteActionButton(clickParams);
    }

    getDay(record) {
        return record.data.write_date?.toMillis();
    }

    selectAgain() {
        const {everything, days} = this.remembered ?? {};
        this.remembered = null;
        if (!days?.size) {
            return;
        }
        const {root} = this.model;
        const kept = root.records.filter(
            (record) => days.has(record.resId) && days.get(record.resId) === this.getDay(record),
        );
        kept.forEach((record) => record.toggleSelection(true));
        if (everything && kept.length === days.size) {
            root.selectDomain(true);
        }
    }
}

registry.category("views").add("membri_renewal_list", {
    ...listView,
    Controller: RenewalListController,
});
