using System.Globalization;
using System.Net.Sockets;
using MailKit;
using MailKit.Net.Smtp;
using MailKit.Security;
using MimeKit;

namespace MSOnlineBackup.Agent.Sinks;

/// <summary>Mail: one for all messages of a look.</summary>
internal sealed class MailSink(SinkSettings settings) : IAlarmSink
{
    private const int UsualPort = 587;
    private const int TlsPort = 465;
    private const int PlainPort = 25;
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    /// <inheritdoc/>
    public string Name => settings.Name;

    /// <inheritdoc/>
    public async Task SendAsync(IReadOnlyList<AlarmMessage> messages, CancellationToken cancellationToken)
    {
        (SecureSocketOptions security, int port) = settings.Security switch
        {
            MailSecurity.Tls => (SecureSocketOptions.SslOnConnect, TlsPort),
            MailSecurity.None => (SecureSocketOptions.None, PlainPort),
            _ => (SecureSocketOptions.StartTls, UsualPort),
        };
        try
        {
            using var mail = new MimeMessage();
            mail.From.Add(MailboxAddress.Parse(settings.From!));
            mail.To.AddRange(settings.To!.Select(MailboxAddress.Parse));
            mail.Subject = SubjectOf(messages);
            mail.Body = new TextPart("plain") { Text = TextOf(messages) };
            using var client = new SmtpClient { Timeout = (int)_patience.TotalMilliseconds };
            await client.ConnectAsync(settings.Server!, settings.Port ?? port, security, cancellationToken).ConfigureAwait(false);
            if (settings.User is not null)
            {
                await client.AuthenticateAsync(settings.User, settings.Password!, cancellationToken).ConfigureAwait(false);
            }

            await client.SendAsync(mail, cancellationToken).ConfigureAwait(false);
            await client.DisconnectAsync(quit: true, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or SocketException or ProtocolException or CommandException or AuthenticationException or SslHandshakeException
            or ParseException or NotSupportedException or TimeoutException or ServiceNotAuthenticatedException)
        {
            throw AlarmSinkErrors.NotDelivered(Name, $"the mail server '{settings.Server}' says: {e.Message}", e);
        }
    }

    /// <summary>The first message, and how many others there are.</summary>
    internal static string SubjectOf(IReadOnlyList<AlarmMessage> messages) => messages.Count == 1
        ? messages[0].Subject
        : string.Create(CultureInfo.InvariantCulture, $"{messages[0].Subject}, and {messages.Count - 1} more");

    /// <summary>All messages.</summary>
    internal static string TextOf(IReadOnlyList<AlarmMessage> messages) =>
        string.Join("\n\n", messages.Select(message => message.Advice.Length == 0 ? message.Text : $"{message.Text}\n{message.Advice}")) + $"\n\nVault: {messages[0].Vault}\n";
}
