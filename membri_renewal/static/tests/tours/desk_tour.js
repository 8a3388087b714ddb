import {registry} from "@web/core/registry";
import {stepUtils} from "@web_tour/tour_utils";

// posting an invoice takes its time on a busy machine
const SERVER_WORK = 45000;

/** A day at the desk, in French: the dashboard, a queue, its renewal, the contact. */
registry.category("web_tour.tours").add("membri_desk_in_french", {
    url: "/odoo",
    steps: () => [
        ...stepUtils.goToAppSteps("membri_renewal.menu_membri_root", "Ouvrir Abonnements"),
        {
            content: "The card tells count, oldest, amount at stake and trend",
            trigger:
                ".o_kanban_record:contains(Tous les renouvellements actifs) .o_membri_facts:contains(345):has(.fa-clock-o):has(.fa-money):has(.fa-arrow-up)",
        },
        {
            content: "An empty queue is a small celebration",
            trigger: ".o_kanban_record:contains(intervention requise) .o_membri_done",
        },
        {
            content: "Open the queue as cards",
            trigger:
                ".o_kanban_record:contains(Tous les renouvellements actifs) a[name=action_open_kanban]",
            run: "click",
        },
        {
            content: "One column per state, with its total",
            timeout: SERVER_WORK,
            trigger: ".o_kanban_group:contains(Envoyé) .o_kanban_record:contains(Alpha Bakery)",
            run: "click",
        },
        {
            content: "The timeline tells what has happened",
            timeout: SERVER_WORK,
            trigger:
                ".o_form_view .o_membri_timeline:contains(Envoyé):contains(Fin de la cotisation)",
        },
        {
            content: "What changes is said in words",
            trigger: ".o_form_view .o_membri_comparison:contains(au même prix)",
        },
        {
            content: "The person in charge is within reach",
            trigger: ".o_form_view a[href^='mailto:alpha.bakery']",
        },
        {
            content: "One button is highlighted",
            trigger:
                ".o_statusbar_buttons button.btn-primary[name=action_approve]:contains(Approuver)",
            run: "click",
        },
        {
            content: "Approved",
            timeout: SERVER_WORK,
            trigger: ".o_statusbar_status .o_arrow_button_current[data-value='approved']",
        },
        {
            content: "Go to the contact",
            trigger: ".oe_stat_button[name=action_view_member]",
            run: "click",
        },
        {
            content: "The ribbon tells the status",
            timeout: SERVER_WORK,
            trigger: ".o_form_view .ribbon:contains(Actif)",
        },
        {
            content: "Open the tab Abonnement",
            trigger: ".o_notebook .nav-link:contains(Abonnement)",
            run: "click",
        },
        {
            content: "The open renewal stands above the cotisations",
            trigger:
                "[name=membri_open_renewal]:contains(Renouvellement en cours):contains(Approuvé)",
        },
        {
            content: "Automatic renewal is No, in words",
            trigger: ".o_group:contains(Renouvellement automatique):contains(Non)",
        },
        {
            content: "There is one tab Facturation",
            trigger:
                ".o_notebook_headers:has(.nav-link:contains(Facturation)):not(:has(.nav-item:contains(Facturation) ~ .nav-item:contains(Facturation)))",
        },
        {
            content: "Open it",
            trigger: ".o_notebook .nav-link:contains(Facturation)",
            run: "click",
        },
        {
            content: "Send the email of the renewal's invoice again",
            trigger:
                ".o_field_widget[name=membri_invoice_ids] .o_data_row:contains(Renouvellement) button[name=action_membri_send_again]",
            run: "click",
        },
        {
            content: "Odoo's own dialog opens",
            timeout: SERVER_WORK,
            trigger: ".modal .o_field_widget[name=mail_partner_ids]",
        },
        {
            content: "Close it",
            trigger: ".modal .btn-close",
            run: "click",
        },
        {
            content: "It is closed",
            trigger: "body:not(:has(.modal))",
        },
    ],
});

/** The manager changes a setting, and adds a queue without code. */
registry.category("web_tour.tours").add("membri_desk_of_the_manager", {
    url: "/odoo/membership-settings",
    steps: () => [
        {
            content: "The settings page is the manager's",
            timeout: SERVER_WORK,
            trigger: ".o_setting_box:contains(Sans réponse) [name=membri_no_answer_days] input",
            run: "edit 9",
        },
        {
            content: "Save",
            trigger: ".o_form_button_save",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "It is saved",
            timeout: SERVER_WORK,
            trigger:
                ".o_form_view:not(:has(.o_form_dirty)) .o_setting_box [name=membri_no_answer_days] input:value(9)",
        },
    ],
});
