/** @odoo-module **/
import {registry} from "@web/core/registry";

// in French, the language of the recipient
registry.category("web_tour.tours").add("membri_portal_change", {
    steps: () => [
        {
            trigger: "#membri_change:contains(Demander des changements)",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "More of an option",
            trigger: ".o_membri_offer input[name^=quantity_]",
            run: "edit 3",
        },
        {
            content: "Only the options of the chosen membership are shown",
            trigger:
                ".o_membri_offer:not(:has(input[type=radio]:checked)):not(:has(fieldset:visible))",
        },
        {
            trigger: "#membri_details_contact summary",
            run: "click",
        },
        {
            content: "Who only holds the link does not see what we have",
            trigger: "#membri_contact_phone:not([value*='555'])",
            run: "edit +1 450 555 0188",
        },
        {
            trigger: "#membri_message",
            run: "edit Merci beaucoup!",
        },
        {
            trigger: "#membri_change_form button[value=preview]",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "What it would cost, before anything is sent",
            trigger: "#membri_asked_total:contains(517)",
        },
        {
            trigger: "#membri_preview_form button[value=edit]",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "What was typed is still there",
            trigger: "#membri_message:value(Merci beaucoup!)",
        },
        {
            trigger: "#membri_change_form button[value=preview]",
            run: "click",
            expectUnloadPage: true,
        },
        {
            trigger: "#membri_preview_form button[value=send]:contains(Envoyer ma demande)",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "Back on the renewal: what was asked, and the proposal still to accept",
            trigger: "#membri_asked:contains(517)",
        },
        {
            trigger: "#membri_accept button[type=submit]:contains(Accepter)",
        },
    ],
});
