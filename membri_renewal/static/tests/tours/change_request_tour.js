/** @odoo-module **/
import {registry} from "@web/core/registry";

registry.category("web_tour.tours").add("membri_apply_and_approve", {
    steps: () => [
        {
            content: "What was proposed and what is asked for stand side by side",
            trigger:
                ".o_membri_change_request [name=request_line_ids] .o_data_row:contains(Directory)",
        },
        {
            trigger: ".o_membri_change_request [name=request_amount_difference]:contains(115)",
        },
        {
            content: "One way to go on",
            trigger:
                ".o_form_view:not(:has(.o_statusbar_buttons button[name=action_approve]:visible))",
        },
        {
            trigger: ".o_statusbar_buttons button[name=action_apply_and_approve]",
            run: "click",
        },
        {
            trigger: ".o_arrow_button_current[data-value='approved']",
            timeout: 30000,
        },
        {
            content: "The proposal is what was asked for",
            trigger: "[name=amount_total]:contains(517.50)",
        },
        {
            trigger: ".o_form_view:not(:has(.o_membri_change_request:visible))",
        },
    ],
});
