/** @odoo-module **/
import {registry} from "@web/core/registry";

// From the notice to the saved card: accept, pay, and tick the box.
registry.category("web_tour.tours").add("membri_portal_save_card", {
    steps: () => [
        {
            trigger: "#membri_accept button[type=submit]:contains(Accept)",
            run: "click",
            expectUnloadPage: true,
        },
        {
            trigger: "#membri_pay",
            run: "click",
            expectUnloadPage: true,
        },
        {
            trigger: "#pay_with.show input[name=o_payment_radio]",
            run: "click",
        },
        {
            content: "The box says what is agreed to",
            trigger:
                "#pay_with.show .o_membri_consent:contains(Use this card for my next renewals)",
        },
        {
            trigger: "#pay_with.show input[name=o_payment_tokenize_checkbox]",
            run: "click",
        },
        {
            trigger: "#pay_with.show button[name=o_payment_submit_button]:not(:disabled)",
            run: "click",
            expectUnloadPage: true,
        },
        {
            trigger: "#membri_status:contains(Paid)",
            timeout: 60000,
        },
        {
            trigger: "#membri_situation",
        },
    ],
});

// What is announced is stopped by one click, by the link of the notice.
registry.category("web_tour.tours").add("membri_portal_stop_card", {
    steps: () => [
        {
            trigger: "#membri_charge:contains(We will charge):contains(1234)",
        },
        {
            trigger: "#membri_stop_charge",
            run: "click",
            expectUnloadPage: true,
        },
        {
            trigger: ".o_membri_renewal:not(:has(#membri_stop_charge)) #membri_status",
        },
    ],
});
