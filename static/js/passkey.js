// Says beside the button what went wrong with a passkey; allauth would only tell the console.
const button = document.querySelector('#passkey_login, [id^="mfa_webauthn_"]')

const WHY = {
  NotAllowedError: 'No passkey was used: it was cancelled, or it took too long.',
  InvalidStateError: 'This device already holds a passkey of yours.',
  SecurityError: 'Passkeys work only at the address that the studio was set up with.'
}

document.addEventListener('allauth.error', (event) => {
  event.preventDefault()
  const line = document.querySelector('.passkey-error') || document.createElement('p')
  line.className = 'field__error passkey-error'
  line.setAttribute('role', 'alert')
  button.after(line)
  line.textContent = WHY[event.detail.exception.name] || 'The passkey did not work. Try again, or sign in another way.'
})

if (button && !window.PublicKeyCredential) {
  document.querySelectorAll('.needs-passkeys').forEach((part) => { part.hidden = true })
}
