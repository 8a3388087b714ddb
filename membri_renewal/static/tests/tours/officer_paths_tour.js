import {registry} from "@web/core/registry";
import {stepUtils} from "@web_tour/tour_utils";
import {
    SERVER_WORK,
    chooseContact,
    chooseReason,
    confirmWizard,
    isNow,
    openApp,
    openQueue,
    openRenewal,
    press,
    runFlow,
    selectAll,
} from "./desk_steps";

const line = (member) => `.modal .o_field_widget[name=line_ids] .o_data_row:contains(${member})`;

// Specification A.5: *Approuver ou refuser plusieurs renouvellements à la fois*, with a reason for each
registry.category("web_tour.tours").add("membri_path_refuse_many_fr", {
    url: "/odoo",
    steps: () => [
        ...openApp(),
        openQueue("Tous les renouvellements actifs"),
        selectAll(),
        runFlow("Refuser plusieurs renouvellements"),
        {
            content: "Think again",
            trigger: ".modal footer button[special=cancel]",
            run: "click",
        },
        {
            content: "They are still selected",
            trigger: "body:not(:has(.modal)) .o_list_view .o_selection_box",
        },
        runFlow("Refuser plusieurs renouvellements"),
        ...chooseReason(".modal .o_inner_group", "Trop cher"),
        {
            content: "Different Reasons",
            trigger: ".modal .o_field_widget[name=is_per_line] input",
            run: "click",
        },
        {
            content: "Filled with the one of all; change that of Beta",
            trigger: `${line("Beta")}:contains(Trop cher) td[name=reason_id]`,
            run: "click",
        },
        ...chooseReason(line("Beta"), "Déménagement"),
        confirmWizard("renouvellements"),
        {
            content: "All are done: nothing is left in the queue",
            timeout: SERVER_WORK,
            trigger: ".o_list_view .o_view_nocontent, .o_nocontent_help",
        },
    ],
});

// Specification A.9: *Faire des modifications à un renouvellement accepté*
registry.category("web_tour.tours").add("membri_path_reset_fr", {
    url: "/odoo",
    steps: () => [
        ...openApp(),
        openQueue("Tous les renouvellements actifs"),
        ...openRenewal("Alpha Bakery"),
        press("action_approve"),
        isNow("approved"),
        {
            content: "The pending cotisation is one click away",
            trigger: ".oe_stat_button[name=action_view_new_cotisation]",
            run: "click",
        },
        isNow("pending"),
        {
            content: "Without effect on the price: the text of an option",
            trigger: ".o_field_widget[name=line_ids] .o_data_row td[name=name_display]",
            run: "click",
        },
        {
            content: "Another text",
            trigger: ".o_field_widget[name=line_ids] .o_data_row td[name=name_display] input",
            run: "edit Cotisation, deux établissements",
        },
        ...stepUtils.saveForm(),
        {
            content: "With effect on the price",
            trigger: ".o_field_widget[name=line_ids] .o_data_row td[name=price_unit]",
            run: "click",
        },
        {
            content: "Another price",
            trigger: ".o_field_widget[name=line_ids] .o_data_row td[name=price_unit] input",
            run: "edit 280",
        },
        {
            content: "Save it",
            trigger: ".o_form_button_save",
            run: "click",
        },
        {
            content: "It is refused, and a reset is offered",
            timeout: SERVER_WORK,
            trigger: ".modal footer button:contains(Réinitialiser)",
            run: "click",
        },
        press("action_ask_reset"),
        confirmWizard("est annulée"),
        isNow("draft"),
        {
            content: "Change the price there",
            trigger: ".o_field_widget[name=line_ids] .o_data_row td[name=price_unit]",
            run: "click",
        },
        {
            content: "Another price",
            trigger: ".o_field_widget[name=line_ids] .o_data_row td[name=price_unit] input",
            run: "edit 280",
        },
        press("action_approve"),
        isNow("approved"),
    ],
});

// A reset with money on the invoice says the ways out, and changes nothing
registry.category("web_tour.tours").add("membri_path_reset_paid_fr", {
    url: "/odoo",
    steps: () => [
        ...openApp(),
        {
            content: "The renewals",
            trigger: ".o_menu_sections [data-menu-xmlid='membri_renewal.menu_membri_renewals']",
            run: "click",
        },
        {
            content: "All of them",
            trigger: "[data-menu-xmlid='membri_renewal.menu_membri_renewal_approved']",
            run: "click",
        },
        ...openRenewal("Gamma Garage"),
        press("action_ask_reset"),
        {
            content: "Told what is in the way; no reset is offered",
            timeout: SERVER_WORK,
            trigger:
                ".modal:not(:has(button[name=action_confirm])) footer button[name=action_open_invoice]",
            run: "click",
        },
        {
            content: "The invoice and its payment",
            timeout: SERVER_WORK,
            trigger: ".o_form_view .o_field_widget[name=invoice_line_ids]",
        },
    ],
});

// Specification A.8: *Faire le suivi des contacts inactifs*: refused together, then enrolled again
registry.category("web_tour.tours").add("membri_path_inactive_fr", {
    url: "/odoo",
    steps: () => [
        ...openApp(),
        openQueue("plus de 6 mois"),
        {
            content: "Both wait there",
            trigger: ".o_data_row:contains(Alpha Bakery)",
        },
        selectAll(),
        runFlow("Refuser plusieurs renouvellements"),
        ...chooseReason(".modal .o_inner_group", "Sans réponse"),
        confirmWizard("renouvellements"),
        {
            content: "The queue is empty",
            timeout: SERVER_WORK,
            trigger: ".o_nocontent_help, .o_view_nocontent",
        },
        {
            content: "Members",
            trigger: ".o_menu_sections [data-menu-xmlid='membri_renewal.menu_membri_members']",
            run: "click",
        },
        {
            content: "All of them",
            trigger: "[data-menu-xmlid='membri_renewal.menu_membri_member']",
            run: "click",
        },
        {
            content: "Enrol",
            trigger: ".o_control_panel button:contains(Faire une adhésion)",
            run: "click",
        },
        ...chooseContact("Alpha Bakery"),
        {
            content: "Choose the option set",
            trigger: ".modal .o_field_widget[name=option_set_id] input",
            run: "edit Calendar year",
        },
        {
            content: "Of fixed dates",
            trigger: ".o-autocomplete--dropdown-item:contains(Calendar year) a",
            run: "click",
        },
        {
            content: "The gap is said, and that the term is shorter",
            timeout: SERVER_WORK,
            trigger: ".modal .o_field_widget[name=consequences]:contains(revient)",
        },
        {
            content: "Prorate in one click",
            trigger: ".modal .o_field_widget[name=prorate] input",
            run: "click",
        },
        {
            content: "The part that is left is said",
            timeout: SERVER_WORK,
            trigger: ".modal .o_field_widget[name=consequences]:contains(prorata)",
        },
        {
            content: "Enrol",
            trigger: ".modal footer button[name=action_confirm]",
            run: "click",
        },
        isNow("pending"),
    ],
});

// Specification A.4: *Faire le suivi des interventions requises*
registry.category("web_tour.tours").add("membri_path_intervention_fr", {
    url: "/odoo",
    steps: () => [
        ...openApp(),
        openQueue("Tous les renouvellements actifs"),
        ...openRenewal("Beta Clinic"),
        {
            content: "Require an intervention",
            trigger: ".o_statusbar_buttons button:contains(Signaler une intervention…)",
            run: "click",
        },
        {
            content: "Say what has to be done",
            trigger: ".modal .o_field_widget[name=reason] textarea",
            run: "edit Appeler la nouvelle directrice",
        },
        confirmWizard("intervention"),
        isNow("intervention"),
        {
            content: "It is said on the renewal",
            trigger: ".alert:contains(Appeler la nouvelle directrice)",
        },
        press("action_approve"),
        isNow("approved"),
    ],
});

// Work in the background: seen on every page, stopped and resumed
registry.category("web_tour.tours").add("membri_path_background_fr", {
    url: "/odoo",
    steps: () => [
        ...openApp(),
        openQueue("Tous les renouvellements actifs"),
        selectAll(),
        runFlow("Approuver plusieurs renouvellements"),
        confirmWizard("3"),
        {
            content: "The page of the work tells its progress",
            timeout: SERVER_WORK,
            trigger: ".o_form_view .oe_stat_button:has([name=todo_count]):contains(3)",
        },
        {
            content: "So does every page",
            timeout: SERVER_WORK,
            trigger: ".o_menu_systray .o_membri_bulk_tray:contains(0 %)",
        },
        press("action_stop"),
        isNow("stopped"),
        {
            content: "Nothing is at work any more",
            timeout: SERVER_WORK,
            trigger: ".o_menu_systray:not(:has(.o_membri_bulk_tray))",
        },
        press("action_resume"),
        isNow("running"),
        {
            content: "Leave the page: the tray leads back to it",
            trigger: ".o_menu_sections [data-menu-xmlid='membri_renewal.menu_membri_dashboard']",
            run: "click",
        },
        {
            content: "Elsewhere",
            trigger: ".o_kanban_record:contains(Tous les renouvellements actifs)",
        },
        {
            content: "Back to the work",
            timeout: SERVER_WORK,
            trigger: ".o_menu_systray .o_membri_bulk_tray button",
            run: "click",
        },
        isNow("running"),
    ],
});
