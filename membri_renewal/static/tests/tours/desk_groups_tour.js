import {registry} from "@web/core/registry";
import {stepUtils} from "@web_tour/tour_utils";
import {
    click,
    fill,
    isNow,
    openApp,
    openMenu,
    openQueue,
    openRenewal,
    openTab,
    see,
    selectAll,
    choose,
} from "./desk_steps";

// The manager prepares the season without a programmer: a queue, an option set, a reason
registry.category("web_tour.tours").add("membri_group_manager_fr", {
    url: "/odoo",
    steps: () => [
        ...openApp(),
        ...openMenu("configuration", "refusal_reason"),
        click("A reason", ".o_list_button_add"),
        fill("Its name", ".o_data_row .o_field_widget[name=name] input", "Fusion de sociétés"),
        click("Save it", ".o_list_button_save"),
        see("It is saved", ".o_list_view:not(:has(.o_selected_row))"),
        ...openMenu("configuration", "option_set"),
        see("The option sets", ".o_list_view th[data-name=date_mode]"),
        click("An option set", ".o_list_button_add"),
        fill("Its name", ".o_form_view .oe_title .o_field_widget[name=name] input", "Étudiants"),
        click("Add an option", ".o_field_widget[name=line_ids] .o_field_x2many_list_row_add a"),
        ...choose(".o_field_widget[name=line_ids]", "product_id", "Directory listing"),
        ...stepUtils.saveForm(),
        ...openMenu("configuration", "dashboard_config"),
        click("A queue", ".o_list_button_add"),
        fill(
            "Its name",
            ".o_form_view .oe_title .o_field_widget[name=name] input",
            "À rappeler par Zoé",
        ),
        ...stepUtils.saveForm(),
        ...openMenu("dashboard"),
        openQueue("À rappeler par Zoé"),
        see("It opens", ".o_list_view .o_data_row:contains(Alpha Bakery)"),
    ],
});

// Who may only look finds every figure, and no button that would be refused
registry.category("web_tour.tours").add("membri_group_auditor_fr", {
    url: "/odoo",
    steps: () => [
        ...openApp(),
        see(
            "The menus of a reader",
            ".o_menu_sections:has([data-menu-xmlid='membri_renewal.menu_membri_renewals']):not(:has([data-menu-xmlid='membri_renewal.menu_membri_configuration'])):not(:has([data-menu-xmlid='membri_renewal.menu_membri_campaign']))",
        ),
        openQueue("Tous les renouvellements actifs"),
        selectAll(),
        see(
            "No flow on the selection",
            ".o_control_panel:has(.o_selection_box):not(:has(button:contains(Approuver))):not(:has(button:contains(Refuser)))",
        ),
        click("Select nothing again", ".o_list_view thead .o_list_record_selector input"),
        see("Nothing is selected", ".o_control_panel:not(:has(.o_selection_box))"),
        ...openRenewal("Alpha Bakery"),
        isNow("sent"),
        see("No button", ".o_form_view:not(:has(.o_statusbar_buttons button:visible))"),
        click("The contact", ".oe_stat_button[name=action_view_member]"),
        openTab("Abonnement"),
        see(
            "Everything is told, nothing can be set",
            ".o_form_view:has([name=membri_open_renewal]):not(:has(button[name=action_membri_enrol])):not(:has(button[name=action_membri_prepare_renewal]))",
        ),
    ],
});

// Without the mouse: the first card, its first renewal, approved
registry.category("web_tour.tours").add("membri_keyboard_fr", {
    url: "/odoo/membership",
    steps: () => [
        see("The dashboards", ".o_kanban_record:contains(Renouvellements à rappeler)"),
        {
            content: "From the search to the cards",
            trigger: ".o_searchview_input:focus",
            run: "press ArrowDown",
        },
        {
            content: "The first card has the focus; open it",
            trigger: ".o_kanban_record:focus:contains(Renouvellements à rappeler)",
            run: "press Enter",
        },
        {
            content: "From the search to the list",
            timeout: 60000,
            trigger: ".o_action_manager:has(.o_list_view .o_data_row) .o_searchview_input:focus",
            run: "press ArrowDown",
        },
        {
            content: "From its head to its first line",
            trigger: ".o_list_view thead :focus",
            run: "press ArrowDown",
        },
        {
            content: "Its member",
            trigger: ".o_list_view tbody :focus",
            run: "press ArrowRight",
        },
        {
            content: "Open it",
            trigger: ".o_list_view tbody .o_data_cell:focus",
            run: "press Enter",
        },
        {
            content: "The renewal; Alt+Q is its next step",
            timeout: 60000,
            trigger: ".o_form_view .oe_title:contains(Alpha Bakery)",
            run: "press alt+q",
        },
        isNow("approved"),
    ],
});
