import {registry} from "@web/core/registry";
import {stepUtils} from "@web_tour/tour_utils";
import {SERVER_WORK, chooseContact, goBack, isNow, openQueue, openRenewal} from "./desk_steps";

registry.category("web_tour.tours").add("membri_backend_decide", {
    url: "/odoo",
    steps: () => [
        ...stepUtils.goToAppSteps("membri_renewal.menu_membri_root", "Open Memberships"),
        openQueue("All Active Renewals"),
        ...openRenewal("Alpha Bakery"),
        {
            content: "The current term stands beside the proposed one",
            trigger:
                ".o_form_view:has(.o_field_widget[name=current_date_end]):has(.o_field_widget[name=date_end])",
        },
        {
            content: "Approve is the highlighted step of a renewal that was sent",
            trigger: ".o_statusbar_buttons button.btn-primary[name=action_approve]",
            run: "click",
        },
        isNow("approved"),
        {
            content: "Its invoice and its next term are one click away",
            trigger: ".oe_stat_button[name=action_view_new_cotisation]:contains(Pending)",
        },
        goBack(),
        ...openRenewal("Beta Clinic"),
        {
            content: "Refuse",
            trigger: ".o_statusbar_buttons button[name=action_refuse]",
            run: "click",
        },
        {
            content: "Type a reason that does not exist yet",
            trigger: ".modal .o_field_widget[name=reason_id] input",
            run: "edit Went abroad",
        },
        {
            content: "Create it on the fly",
            trigger: '.o-autocomplete--dropdown-item:contains(Create "Went abroad") a',
            run: "click",
        },
        {
            content: "Add a comment",
            trigger: ".modal .o_field_widget[name=note] textarea",
            run: "edit Called on Monday",
        },
        {
            content: "Confirm",
            trigger: ".modal footer button[name=action_confirm]",
            run: "click",
        },
        isNow("refused"),
        {
            content: "The box of the refusal tells why",
            trigger: ".o_field_widget[name=refusal_reason_id]:contains(Went abroad)",
        },
        {
            content: "Take the refusal back",
            trigger: ".o_statusbar_buttons button[name=action_ask_reset]",
            run: "click",
        },
        {
            content: "Told what happens, confirm",
            trigger:
                ".modal:has(.o_field_widget[name=consequences]) footer button[name=action_confirm]",
            run: "click",
        },
        isNow("draft"),
        goBack(),
        ...openRenewal("Alpha Bakery"),
        {
            content: "Reset the approved renewal",
            trigger: ".o_statusbar_buttons button[name=action_ask_reset]",
            run: "click",
        },
        {
            content: "Told what becomes of the invoice, confirm",
            trigger:
                ".modal:has(.o_field_widget[name=consequences]:contains(INV/)) footer button[name=action_confirm]",
            run: "click",
        },
        isNow("draft"),
        {
            content: "The options can be edited again",
            trigger: ".o_field_widget[name=line_ids] .o_field_x2many_list_row_add",
        },
    ],
});

registry.category("web_tour.tours").add("membri_backend_bulk", {
    url: "/odoo",
    steps: () => [
        ...stepUtils.goToAppSteps("membri_renewal.menu_membri_root", "Open Memberships"),
        openQueue("All Active Renewals"),
        {
            content: "Select everything",
            trigger: ".o_list_view:has(.o_data_row) thead .o_list_record_selector input",
            run: "click",
        },
        {
            content: "The flows of the queue are there",
            trigger:
                ".o_control_panel:contains(Decline Selected Renewals):contains(Resend the Renewal Notice)",
        },
        {
            content: "Approve Selected Renewals",
            trigger: ".o_control_panel button:contains(Approve Selected Renewals)",
            run: "click",
        },
        {
            content: "Told what is billed and what is left out, confirm",
            trigger:
                ".modal:has(.o_field_widget[name=explanation]:contains(2)):contains(Gamma Garage) footer button[name=action_confirm]:visible",
            run: "click",
        },
        {
            content: "What was done, and what was not",
            timeout: SERVER_WORK,
            trigger: ".o_form_view .oe_stat_button:has([name=done_count]):contains(2)",
        },
        {
            content: "The one that was approved before is skipped, with the reason",
            trigger: ".o_field_widget[name=problem_line_ids] .o_data_row:contains(Gamma Garage)",
        },
        {
            content: "Open it",
            trigger: ".o_field_widget[name=problem_line_ids] button:contains(Open)",
            run: "click",
        },
        isNow("approved"),
    ],
});

registry.category("web_tour.tours").add("membri_backend_enrol", {
    url: "/odoo",
    steps: () => [
        ...stepUtils.goToAppSteps("membri_renewal.menu_membri_root", "Open Memberships"),
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
            content: "Enrol a member",
            trigger: ".o_control_panel button:contains(Enroll a Member)",
            run: "click",
        },
        ...chooseContact("Delta Studio"),
        {
            content: "Choose the option set",
            trigger: ".modal .o_field_widget[name=option_set_id] input",
            run: "edit Calendar year",
        },
        {
            content: "One of fixed dates",
            trigger: ".o-autocomplete--dropdown-item:contains(Calendar year) a",
            run: "click",
        },
        {
            content: "Its options come with their full price",
            trigger: ".modal .o_field_widget[name=amount_untaxed]:contains(300.00)",
        },
        {
            content: "Prorate in one click",
            trigger: ".modal .o_field_widget[name=prorate] input",
            run: "click",
        },
        {
            content: "The price is scaled",
            trigger: ".modal .o_field_widget[name=amount_untaxed]:not(:contains(300.00))",
        },
        {
            content: "Enrol",
            trigger: ".modal footer button[name=action_confirm]",
            run: "click",
        },
        {
            content: "The new term waits for its payment",
            timeout: SERVER_WORK,
            trigger: ".o_statusbar_status .o_arrow_button_current[data-value='pending']",
        },
        {
            content: "Go to the member",
            trigger: ".oe_stat_button[name=action_view_member]",
            run: "click",
        },
        {
            content: "Open the tab Membership",
            trigger: ".o_notebook .nav-link:contains(Membership)",
            run: "click",
        },
        {
            content: "The contact is a pending member",
            timeout: SERVER_WORK,
            trigger: ".o_field_widget[name=membri_status]:contains(Pending)",
        },
        {
            content: "Its cotisation is listed",
            trigger:
                ".o_field_widget[name=membri_cotisation_ids] .o_data_row:contains(Calendar year)",
        },
        {
            content: "Open the tab Invoicing",
            trigger: ".o_notebook .nav-link:contains(Invoicing)",
            run: "click",
        },
        {
            content: "Send its invoice again",
            trigger:
                ".o_field_widget[name=membri_invoice_ids] .o_data_row:contains(Enrollment) button[name=action_membri_send_again]",
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
            content: "It is closed",
            trigger: "body:not(:has(.modal))",
        },
    ],
});
