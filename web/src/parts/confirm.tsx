/** Asks once more before something is sent or ended. Esc and the way back leave all as it is. */
import { Modal } from "@mantine/core";
import { t } from "../words/words.ts";

type ConfirmProps = {
  readonly title: string;
  readonly text: string;
  readonly action: string;
  readonly isOpen: boolean;
  readonly onClose: () => void;
  readonly onConfirm: () => void;
};

export function Confirm({ title, text, action, isOpen, onClose, onConfirm }: ConfirmProps) {
  return (
    <Modal
      opened={isOpen}
      onClose={onClose}
      title={title}
      closeButtonProps={{ "aria-label": t("shell.close") }}
      centered
    >
      <p className="confirm-text">{text}</p>
      <div className="confirm-actions">
        <button type="button" className="button" onClick={onClose}>
          {t("act.keep")}
        </button>
        <button type="button" className="button primary" data-autofocus onClick={onConfirm}>
          {action}
        </button>
      </div>
    </Modal>
  );
}
