/** @odoo-module **/
import {registry} from "@web/core/registry";

registry.category("web_tour.tours").add("membri_my_membership", {
    steps: () => [
        {
            content: "The page speaks the member's language",
            trigger: "h1:contains(Mon abonnement)",
        },
        {
            content: "The standing, in one word",
            trigger: ".o_membri_standing:contains(Membre)",
        },
        {trigger: "a.o_membri_card[href$='/card']"},
        {trigger: "a.o_membri_attestation[href$='/attestation']"},
        {trigger: ".o_membri_invoice a.o_membri_pay[href*='access_token=']"},
        {
            trigger: ".o_membri_person summary",
            run: "click",
        },
        {
            trigger: ".o_membri_person[open] input[name=name]",
            run: "edit Paula Nouvelle",
        },
        {
            trigger: ".o_membri_person[open] input[name=email]",
            run: "edit paula@example.com",
        },
        {
            trigger: ".o_membri_person button[type=submit]",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "Nothing is changed by the member: the staff does it",
            trigger: "#membri_done",
        },
    ],
});

registry.category("web_tour.tours").add("membri_already_paid", {
    steps: () => [
        {
            trigger: ".o_membri_invoice a.o_membri_already_paid",
            run: "click",
            expectUnloadPage: true,
        },
        {
            trigger: "h1:contains(J'ai déjà payé)",
        },
        {
            trigger: "#membri_already_paid select[name=method]",
            run: "select cheque",
        },
        {
            trigger: "#membri_already_paid input[name=reference]",
            run: "edit 0187",
        },
        {
            trigger: "#membri_already_paid button[type=submit]",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "Told: no reminder comes in the meantime",
            trigger: "#membri_done",
        },
        {
            content: "It cannot be told twice",
            trigger: ".o_membri_renewal:not(:has(#membri_already_paid))",
        },
    ],
});

// Automatic renewal, on and off: what is agreed to stands above the button.
registry.category("web_tour.tours").add("membri_auto_renew", {
    steps: () => [
        {
            trigger: ".o_membri_auto_renew:contains(J’accepte que mon abonnement)",
        },
        {
            trigger: ".o_membri_auto_renew button[name=is_on][value='1']",
            run: "click",
            expectUnloadPage: true,
        },
        {
            trigger: "#membri_done",
        },
        {
            content: "The day of the consent, and the way back",
            trigger: ".o_membri_auto_renew:contains(Accord donné le)",
        },
    ],
});

registry.category("web_tour.tours").add("membri_auto_renew_off", {
    steps: () => [
        {
            trigger: ".o_membri_auto_renew button[name=is_on][value='0']",
            run: "click",
            expectUnloadPage: true,
        },
        {
            trigger: "#membri_done",
        },
        {
            trigger: ".o_membri_auto_renew button[name=is_on][value='1']",
        },
    ],
});
