/** @odoo-module **/
import {registry} from "@web/core/registry";

registry.category("web_tour.tours").add("membri_fee_notice_pay", {
    steps: () => [
        {
            content: "What is to be paid, by when",
            trigger: "#membri_situation",
        },
        {
            content: "Odoo's own form stands on the page",
            trigger: "#membri_fee_notice_pay form#o_payment_form",
        },
        {
            content: "The demo provider is chosen",
            trigger: "input[name=o_payment_radio]",
            run: "click",
        },
        {
            content: "Pay",
            trigger: "button[name=o_payment_submit_button]:not(:disabled)",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "Back on the page: paid, with the invoice",
            trigger: "#membri_status:contains(Paid)",
            timeout: 60000,
        },
        {
            trigger: "a[href*='/my/invoices/'][href*='access_token=']",
        },
        {
            content: "Nothing more to pay",
            trigger: ".o_membri_fee_notice:not(:has(#o_payment_form))",
        },
    ],
});
