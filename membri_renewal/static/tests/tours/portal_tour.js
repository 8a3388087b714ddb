/** @odoo-module **/
import {registry} from "@web/core/registry";

registry.category("web_tour.tours").add("membri_portal_accept", {
    steps: () => [
        {
            content: "What the member has, and what is proposed",
            trigger: "#membri_proposal:contains(What we propose)",
        },
        {
            trigger: "#membri_accept button[type=submit]:contains(Accept)",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "Accepted: the page offers the invoice",
            trigger: "#membri_status:contains(Accepted, to be paid)",
        },
        {
            trigger: "a[href*='/my/invoices/'][href*='access_token=']",
        },
        {
            content: "There is nothing more to answer",
            trigger: ".o_membri_renewal:not(:has(.o_membri_answers))",
        },
    ],
});

registry.category("web_tour.tours").add("membri_portal_request_change", {
    steps: () => [
        {
            trigger: "#membri_change summary",
            run: "click",
        },
        {
            content: "The message is typed on a phone",
            trigger: "#membri_change[open] textarea#membri_message",
            run: "edit Please add the directory listing",
        },
        {
            trigger: "#membri_change button[type=submit]",
            run: "click",
            expectUnloadPage: true,
        },
        {
            trigger: "#membri_status:contains(Change requested)",
        },
        {
            content: "The proposal can still be accepted as it is",
            trigger: "#membri_accept button[type=submit]",
        },
    ],
});
