/** @odoo-module **/
import {registry} from "@web/core/registry";

const accept = [
    {
        content: "What the member has, and what is proposed",
        trigger: "#membri_proposal",
    },
    {
        trigger: "#membri_accept button[type=submit]:contains(Accept)",
        run: "click",
        expectUnloadPage: true,
    },
    {
        content: "Accepted: what is to be paid",
        trigger: "#membri_status:contains(Accepted, payment due)",
    },
];

registry.category("web_tour.tours").add("membri_portal_accept", {
    steps: () => [
        ...accept,
        {
            content: "Nobody can pay online here: the page tells how to pay",
            trigger: "#membri_pay",
        },
        {
            trigger: "#membri_pay_otherwise:contains(Payment reference)",
        },
        {
            content: "There is nothing more to answer",
            trigger: ".o_membri_renewal:not(:has(.o_membri_answers))",
        },
    ],
});

registry.category("web_tour.tours").add("membri_portal_accept_and_pay", {
    steps: () => [
        ...accept,
        {
            trigger: "#membri_pay",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "Odoo's payment form is open already",
            trigger:
                "#pay_with.show input[name=o_payment_radio]:not(:visible), #pay_with.show form",
        },
        {
            trigger: "#pay_with.show input[name=o_payment_radio]",
            run: "click",
        },
        {
            trigger: "#pay_with.show button[name=o_payment_submit_button]:not(:disabled)",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "Back on the renewal, which is paid",
            trigger: "#membri_status:contains(Paid)",
            timeout: 60000,
        },
        {
            trigger: "#membri_situation",
        },
    ],
});
