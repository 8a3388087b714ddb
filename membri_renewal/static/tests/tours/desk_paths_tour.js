import {registry} from "@web/core/registry";
import {stepUtils} from "@web_tour/tour_utils";
import {
    choose,
    chooseContact,
    click,
    confirmWizard,
    fill,
    fillCell,
    goBack,
    isEmptyQueue,
    isNow,
    openApp,
    openMenu,
    openQueue,
    openRenewal,
    openTab,
    press,
    refuse,
    see,
    selectAll,
} from "./desk_steps";

// The guided paths of the guide, in French, that officer_paths_tour.js does not walk.

// each with a member who waits there
const QUEUES = [
    ["Renouvellements à rappeler", "Rita Remind"],
    ["Demandes de modification de renouvellement", "Chloe Change"],
    ["plus de 7 jours", "Sam Seven"],
    ["avec une intervention requise", "Ivan Intervention"],
    ["plus de 6 mois", "Lena Late"],
    ["acceptés, mais impayés", "Paul Payer"],
];

// Specification A.5: each of the seven dashboards by its card, as cards too, and *Envoyer* on drafts
registry.category("web_tour.tours").add("membri_path_queues_fr", {
    url: "/odoo",
    steps: () => [
        ...openApp(),
        ...QUEUES.flatMap(([queue, member]) => [
            openQueue(queue),
            see(
                `${member} waits there, Dora does not`,
                `.o_list_view:has(.o_data_row:contains(${member})):not(:has(.o_data_row:contains(Dora Draft)))`,
            ),
            goBack(),
        ]),
        click(
            "All of them, as cards",
            ".o_kanban_record:contains(Tous les renouvellements actifs) a[name=action_open_kanban]",
        ),
        {
            content: "A card cannot be dragged from Sent to Approved",
            trigger: ".o_kanban_group:contains(Envoyé) .o_kanban_record:contains(Sam Seven)",
            run: "drag_and_drop .o_kanban_group:contains(Approuvé)",
        },
        see(
            "It stays where it was",
            ".o_kanban_group:contains(Envoyé) .o_kanban_record:contains(Sam Seven)",
        ),
        ...openMenu("renewals", "renewal_draft"),
        see("The drafts only", ".o_list_view:has(.o_data_row:contains(Dora Draft))"),
        selectAll(),
        click("Send them", ".o_control_panel button:text(Envoyer)"),
        confirmWizard("690"),
        isEmptyQueue(),
    ],
});

// Specification A.6: *Faire le suivi des demandes de modification*
registry.category("web_tour.tours").add("membri_path_requests_fr", {
    url: "/odoo",
    steps: () => [
        ...openApp(),
        openQueue("Demandes de modification de renouvellement"),
        ...openRenewal("Alpha Bakery"),
        see(
            "What is asked stands there",
            ".o_membri_change_request .o_data_row:contains(Directory)",
        ),
        click("Apply it, to go on by hand", "button[name=action_apply_change_request]"),
        see("It is applied", ".o_form_view:not(:has(.o_membri_change_request:visible))"),
        ...fillCell("price_unit", "250"),
        press("action_approve"),
        isNow("approved"),
        goBack(),
        ...openRenewal("Beta Clinic"),
        ...refuse("Trop cher"),
        goBack(),
        ...openRenewal("Gamma Garage"),
        click("Approve what was proposed", ".o_membri_change_request button[name=action_approve]"),
        click("Told that nothing is applied, confirm", ".modal footer button.btn-primary"),
        isNow("approved"),
        goBack(),
        isEmptyQueue(),
    ],
});

// Specification A.4: *Faire le suivi des interventions requises*, from the contact on
registry.category("web_tour.tours").add("membri_path_flag_fr", {
    url: "/odoo",
    steps: () => [
        ...openApp(),
        ...openMenu("members", "member"),
        click("The contact", ".o_data_cell:contains(Alpha Bakery)"),
        openTab("Abonnement"),
        click(
            "Require an intervention",
            ".o_field_widget[name=membri_intervention_required] input",
        ),
        fill(
            "Say what has to be done",
            ".o_field_widget[name=membri_intervention_reason] textarea",
            "Ajouter un deuxième établissement",
        ),
        ...stepUtils.saveForm(),
        ...openMenu("dashboard"),
        openQueue("avec une intervention requise"),
        see(
            "The list tells what has to be done",
            ".o_data_row:contains(Alpha Bakery):contains(Ajouter un deuxième établissement)",
        ),
        ...openRenewal("Alpha Bakery"),
        ...fillCell("quantity", "2"),
        press("action_approve"),
        isNow("approved"),
        goBack(),
        ...openRenewal("Beta Clinic"),
        ...refuse("Trop cher"),
        goBack(),
        isEmptyQueue(),
    ],
});

// Specification A.3: the contact's tabs and chatter, and its invoice sent again from both places
registry.category("web_tour.tours").add("membri_path_contact_fr", {
    url: "/odoo",
    steps: () => [
        ...openApp(),
        ...openMenu("members", "member"),
        click("The contact", ".o_data_cell:contains(Alpha Bakery)"),
        openTab("Abonnement"),
        click(
            "The open renewal, above the cotisations",
            "[name=membri_open_renewal]:has(~ [name=membri_cotisation_ids]) [name=membri_renewal_id] a",
        ),
        isNow("sent"),
        goBack(),
        click(
            "The notice that was sent, in the chatter",
            ".o-mail-Chatter .o-mail-Message .o-mail-AttachmentContainer:contains(.pdf)",
        ),
        click("It opens", ".o-FileViewer [aria-label='Fermer'], .o-FileViewer .oi-close"),
        click("Smart button", ".oe_stat_button[name=action_membri_view_renewals]"),
        see("Its renewals", ".o_list_view .o_data_row:contains(Envoyé), .o_form_view .oe_title"),
        ...openMenu("members", "member"),
        click("Another contact", ".o_data_cell:contains(Beta Clinic)"),
        openTab("Facturation"),
        click(
            "Send the email of its renewal's invoice again",
            ".o_field_widget[name=membri_invoice_ids] .o_data_row:contains(Renouvellement) button[name=action_membri_send_again]",
        ),
        click("Send", ".modal footer button[name=action_send_and_print]"),
        see("It is on its way", "body:not(:has(.modal)) .o_form_view"),
        ...openMenu("invoices", "invoice_open"),
        click("Search options", ".o_searchview_dropdown_toggler"),
        click("By type", ".o_search_bar_menu .dropdown-item:contains(Factures de renouvellement)"),
        click("Close them", ".o_searchview_dropdown_toggler"),
        see(
            "The enrolment is gone",
            ".o_list_view:has(.o_data_row:contains(Gamma Garage)):not(:has(.o_data_row:contains(Delta Studio)))",
        ),
        click("Choose Gamma", ".o_data_row:contains(Gamma Garage) .o_list_record_selector input"),
        click("Send again", ".o_control_panel button[name=action_membri_send_again]"),
        click("Send", ".modal footer button[name=action_send_and_print]"),
        see("It is on its way", "body:not(:has(.modal)) .o_list_view"),
    ],
});

// A contact that did not exist is enrolled; a member leaves before the end
registry.category("web_tour.tours").add("membri_path_come_and_go_fr", {
    url: "/odoo",
    steps: () => [
        ...openApp(),
        ...openMenu("members", "member"),
        click("Enrol", ".o_control_panel button:contains(Faire une adhésion)"),
        ...chooseContact("Zoe Nouvelle", "Créer"),
        ...choose(".modal", "option_set_id", "Yearly"),
        see("Its options and price", ".modal .o_data_row:contains(Membership)"),
        confirmWizard("Zoe Nouvelle"),
        isNow("pending"),
        ...openMenu("members", "cotisation"),
        click("The term of Alpha", ".o_data_cell:contains(Alpha Bakery)"),
        press("action_terminate"),
        fill("Why", ".modal .o_field_widget[name=reason] input", "Démission"),
        confirmWizard("Alpha Bakery"),
        see(
            "It is told",
            ".o_form_view .o_field_widget[name=termination_reason]:contains(Démission)",
        ),
    ],
});
