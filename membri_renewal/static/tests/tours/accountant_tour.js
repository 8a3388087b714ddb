import {registry} from "@web/core/registry";

// Odoo's invoice form and its send dialog take their time on a busy machine
const SERVER_WORK = 45000;

const chooseInSearch = (content, name) => [
    {
        content: `${content}: open the search options`,
        trigger: ".o_searchview_dropdown_toggler",
        run: "click",
    },
    {
        content,
        trigger: `.o_search_bar_menu .dropdown-item:contains(${name})`,
        run: "click",
    },
    {
        content: `${content}: close the search options`,
        trigger: ".o_searchview_dropdown_toggler",
        run: "click",
    },
];

const press = (content, button) => ({
    content,
    timeout: SERVER_WORK,
    trigger: `.oe_stat_button[name=${button}]`,
    run: "click",
});

const isInvoice = () => ({
    content: "Back on the invoice",
    timeout: SERVER_WORK,
    trigger: ".o_form_view .oe_stat_button[name=action_membri_view_members]",
});

registry.category("web_tour.tours").add("membri_accountant", {
    url: "/odoo/action-account.action_move_out_invoice_type",
    steps: () => [
        {
            content: "Odoo's own list of invoices, with all of them",
            timeout: SERVER_WORK,
            trigger: ".o_list_view .o_data_row:contains(Ordinary Customer)",
        },
        ...chooseInSearch("Only renewal invoices", "Renewal Invoices"),
        {
            content: "The ordinary one is gone",
            trigger: ".o_list_view:not(:has(.o_data_row:contains(Ordinary Customer)))",
        },
        ...chooseInSearch("Group by type", "Invoice Type"),
        {
            content: "Open the group",
            trigger: ".o_group_header:contains(Renewal)",
            run: "click",
        },
        {
            content: "Open an invoice",
            trigger: ".o_data_row .o_data_cell:contains(Alpha Bakery)",
            run: "click",
        },
        press("To its renewal", "action_membri_view_renewal"),
        press("And back", "action_view_invoice"),
        isInvoice(),
        press("To its cotisation", "action_membri_view_cotisations"),
        press("And back", "action_view_invoice"),
        isInvoice(),
        press("To the member", "action_membri_view_members"),
        {
            content: "Open the tab Invoicing",
            timeout: SERVER_WORK,
            trigger: ".o_notebook .nav-link:contains(Invoicing)",
            run: "click",
        },
        {
            content: "And back",
            trigger:
                ".o_field_widget[name=membri_invoice_ids] .o_data_row:contains(Renewal) button:contains(Open)",
            run: "click",
        },
        isInvoice(),
        {
            content: "Resend the Email",
            trigger: ".o_statusbar_buttons button[name=action_membri_send_again]",
            run: "click",
        },
        {
            content: "Odoo's own dialog opens",
            timeout: SERVER_WORK,
            trigger: ".modal .o_field_widget[name=mail_partner_ids]",
        },
        {
            content: "Close it",
            trigger: ".modal footer button:contains(Discard)",
            run: "click",
        },
        {
            content: "It is closed, and the date of the last email is there",
            trigger: "body:not(:has(.modal)) .o_form_view .o_field_widget[name=membri_date_sent]",
        },
    ],
});

registry.category("web_tour.tours").add("membri_accountant_send_many", {
    url: "/odoo/action-membri_renewal.action_membri_open_invoice",
    steps: () => [
        {
            content: "Two open invoices; one was emailed before",
            timeout: SERVER_WORK,
            trigger: ".o_list_view:has(.o_data_row:contains(Beta Clinic))",
        },
        {
            content: "Select them",
            trigger: ".o_list_view thead .o_list_record_selector input",
            run: "click",
        },
        {
            content: "Resend the Email",
            trigger: ".o_control_panel button[name=action_membri_send_again]",
            run: "click",
        },
        {
            content: "Odoo's dialog for many",
            timeout: SERVER_WORK,
            trigger: ".modal footer button[name=action_send_and_print]",
            run: "click",
        },
        {
            content: "They are on their way",
            timeout: SERVER_WORK,
            trigger: "body:not(:has(.modal)) .o_list_view",
        },
    ],
});
