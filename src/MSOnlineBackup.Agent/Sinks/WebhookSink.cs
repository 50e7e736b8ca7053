using System.Text.Encodings.Web;
using System.Text.Json;

namespace MSOnlineBackup.Agent.Sinks;

/// <summary>A request to a web address: one for all messages of a look.</summary>
internal sealed class WebhookSink(SinkSettings settings) : IAlarmSink
{
    /// <inheritdoc/>
    public string Name => settings.Name;

    /// <inheritdoc/>
    public Task SendAsync(IReadOnlyList<AlarmMessage> messages, CancellationToken cancellationToken) =>
        WebSender.PostAsync(Name, new Uri(settings.Url!), Write(settings.Format, messages), "application/json", cancellationToken);

    /// <summary>What is sent.</summary>
    internal static byte[] Write(WebhookFormat format, IReadOnlyList<AlarmMessage> messages)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            switch (format)
            {
                case WebhookFormat.Slack:
                    json.WriteStartObject();
                    json.WriteString("text", $"{MailSink.SubjectOf(messages)}\n{MailSink.TextOf(messages)}");
                    json.WriteEndObject();
                    break;
                case WebhookFormat.Teams:
                    WriteCard(json, messages);
                    break;
                default:
                    WriteAll(json, messages);
                    break;
            }
        }

        return buffer.ToArray();
    }

    private static void WriteCard(Utf8JsonWriter json, IReadOnlyList<AlarmMessage> messages)
    {
        json.WriteStartObject();
        json.WriteString("type", "message");
        json.WriteStartArray("attachments");
        json.WriteStartObject();
        json.WriteString("contentType", "application/vnd.microsoft.card.adaptive");
        json.WriteStartObject("content");
        json.WriteString("type", "AdaptiveCard");
        json.WriteString("version", "1.4");
        json.WriteStartArray("body");
        foreach (string text in new[] { MailSink.SubjectOf(messages), MailSink.TextOf(messages) })
        {
            json.WriteStartObject();
            json.WriteString("type", "TextBlock");
            json.WriteString("text", text);
            json.WriteBoolean("wrap", true);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteAll(Utf8JsonWriter json, IReadOnlyList<AlarmMessage> messages)
    {
        json.WriteStartObject();
        json.WriteStartArray("messages");
        foreach (AlarmMessage message in messages)
        {
            json.WriteStartObject();
            json.WriteString("kind", message.Kind.ToString());
            json.WriteString("vault", message.Vault);
            json.WriteString("machine", message.Machine);
            json.WriteString("policy", message.Policy);
            json.WriteString("state", message.State?.ToString());
            json.WriteString("alarm", message.Id?.ToString());
            json.WriteString("subject", message.Subject);
            json.WriteString("message", message.Text);
            json.WriteString("advice", message.Advice);
            json.WriteString("at", message.At.UtcDateTime);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }
}
