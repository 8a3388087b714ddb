import {registry} from "@web/core/registry";
import {stepUtils} from "@web_tour/tour_utils";

// printing and posting take their time on a busy machine
const SERVER_WORK = 60000;

const isNow = (state) => ({
    content: `The campaign is at ${state}`,
    timeout: SERVER_WORK,
    trigger: `.o_statusbar_status .o_arrow_button_current[data-value='${state}']`,
});

// A French officer prepares the campaign: looks, leaves somebody out, sends, and explains.
registry.category("web_tour.tours").add("membri_campaign_fr", {
    url: "/odoo",
    steps: () => [
        ...stepUtils.goToAppSteps("membri_renewal.menu_membri_root", "Ouvrir les abonnements"),
        {
            content: "Campagnes",
            trigger:
                ".o_menu_sections [data-menu-xmlid='membri_renewal.menu_membri_campaign']:contains(Campagnes)",
            run: "click",
        },
        {
            content: "Rien encore: le texte invite à préparer la campagne",
            trigger: ".o_view_nocontent:contains(Préparer la campagne)",
        },
        {
            content: "Nouveau",
            trigger: ".o_list_button_add",
            run: "click",
        },
        {
            content: "La sélection est proposée",
            trigger: ".o_form_view .o_field_widget[name=option_set_ids] .o_tag:contains(Yearly)",
        },
        {
            content: "Aperçu",
            trigger: ".o_statusbar_buttons button[name=action_preview]:contains(Aperçu)",
            run: "click",
        },
        isNow("previewed"),
        {
            content: "Les totaux par ensemble d'options et par suite",
            trigger:
                ".o_field_widget[name=summary] table:contains(Reçoit un avis):contains(Injoignable):contains(Intervention requise)",
        },
        {
            content: "Voir les membres",
            trigger: ".oe_stat_button[name=action_view_lines]:contains(Membres)",
            run: "click",
        },
        {
            content: "Groupés par suite; ouvrir ceux qui reçoivent un avis",
            timeout: SERVER_WORK,
            trigger: ".o_group_header:contains(Reçoit un avis) .o_group_name",
            run: "click",
        },
        {
            content: "Écarter Beta",
            trigger: ".o_data_row:contains(Beta Clinic) button[name=action_exclude]",
            run: "click",
        },
        {
            content: "Beta est écartée",
            timeout: SERVER_WORK,
            trigger: ".o_group_header:contains(Exclu manuellement (1))",
        },
        {
            content: "Retour à la campagne",
            trigger: ".o_breadcrumb .o_back_button a",
            run: "click",
        },
        {
            content: "Le sommaire en tient compte",
            timeout: SERVER_WORK,
            trigger: ".o_field_widget[name=summary] table:contains(Exclu manuellement)",
        },
        {
            content: "Créer et envoyer",
            trigger: ".o_statusbar_buttons button[name=action_ask_send]:contains(Créer et envoyer)",
            run: "click",
        },
        {
            content: "Confirmer",
            trigger: ".modal footer button[name=action_send]",
            run: "click",
        },
        isNow("done"),
        {
            content: "Ouvrir Alpha, qui a reçu son avis",
            trigger: ".o_menu_sections [data-menu-xmlid='membri_renewal.menu_membri_members']",
            run: "click",
        },
        {
            content: "All of them",
            trigger: "[data-menu-xmlid='membri_renewal.menu_membri_member']",
            run: "click",
        },
        {
            content: "Alpha est dans la liste",
            timeout: SERVER_WORK,
            trigger: ".o_data_cell:contains(Alpha Bakery)",
            run: "click",
        },
        {
            content: "Onglet Abonnement",
            timeout: SERVER_WORK,
            trigger: ".o_notebook .nav-link[name=membership]",
            run: "click",
        },
        {
            content: "Pourquoi?",
            trigger: "button[name=action_membri_explain]",
            run: "click",
        },
        {
            content: "La réponse, et la suite",
            timeout: SERVER_WORK,
            trigger:
                ".modal:contains(Oui):contains(a été envoyé une première fois):contains(Ce qui se passera ensuite)",
        },
        {
            content: "Fermer",
            trigger: ".modal footer button:contains(Fermer)",
            run: "click",
        },
        {
            content: "C'est fermé",
            trigger: "body:not(:has(.modal))",
        },
    ],
});
