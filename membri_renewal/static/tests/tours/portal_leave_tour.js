/** @odoo-module **/
import {registry} from "@web/core/registry";

const leave = {
    trigger: "#membri_decline",
    run: "click",
    expectUnloadPage: true,
};

registry.category("web_tour.tours").add("membri_portal_counter_offer", {
    steps: () => [
        leave,
        {
            content: "A smaller membership is offered first",
            trigger: "#membri_counter_offer:contains(Small)",
        },
        {
            trigger: "#membri_counter_offer button[type=submit]",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "It is proposed now",
            trigger: "#membri_situation:contains(We updated your renewal)",
        },
        {
            trigger: "#membri_accept button[type=submit]",
            run: "click",
            expectUnloadPage: true,
        },
        {
            trigger: "#membri_status:contains(Accepted, payment due)",
        },
    ],
});

registry.category("web_tour.tours").add("membri_portal_call", {
    steps: () => [
        leave,
        {
            trigger: "#membri_call summary",
            run: "click",
        },
        {
            trigger: "#membri_call_time",
            run: "select morning",
        },
        {
            trigger: "#membri_call button[type=submit]",
            run: "click",
            expectUnloadPage: true,
        },
        {
            trigger: "#membri_status:contains(We will contact you)",
        },
    ],
});

registry.category("web_tour.tours").add("membri_portal_decline", {
    steps: () => [
        leave,
        {
            trigger: "#membri_reason",
            run: "selectByLabel Moved to the Moon",
        },
        {
            trigger: "#membri_comment",
            run: "edit Too far",
        },
        {
            trigger: "#membri_leave_form button[type=submit]",
            run: "click",
            expectUnloadPage: true,
        },
        {
            trigger: "#membri_status:contains(Not renewed)",
        },
    ],
});
