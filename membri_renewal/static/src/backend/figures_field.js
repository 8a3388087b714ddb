import {registry} from "@web/core/registry";
import {useService} from "@web/core/utils/hooks";
import {HtmlField, htmlField} from "@web/views/fields/html/html_field";

/**
 * A table of figures, each of which opens what it counts: the server knows it by its name.
 */
export class FiguresField extends HtmlField {
    static template = "membri_renewal.FiguresField";

    setup() {
        super.setup();
        this.action = useService("action");
    }

    async open(ev) {
        const figure = ev.target.closest("[data-figure]")?.dataset.figure;
        if (!figure) {
            return;
        }
        ev.preventDefault();
        const {record} = this.props;
        if (await record.save()) {
            await this.action.doActionButton({
                type: "object",
                name: "action_open_figure",
                resModel: record.resModel,
                resId: record.resId,
                resIds: [record.resId],
                context: {...record.context, membri_figure: figure},
            });
        }
    }
}

registry.category("fields").add("membri_figures", {...htmlField, component: FiguresField});
