using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace MSOnlineBackup.Agent.Health;

/// <summary>Files of a JSON document a line, as logs of jobs are.</summary>
internal static class JsonLines
{
    /// <summary>What their names end with.</summary>
    public const string Extension = ".jsonl";

    /// <summary>The documents; a line that is damaged is told of in its place.</summary>
    public static JsonArray Read(byte[] content)
    {
        var lines = new JsonArray();
        foreach (string line in Encoding.UTF8.GetString(content).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            try
            {
                lines.Add(JsonNode.Parse(line));
            }
            catch (JsonException)
            {
                // A process that was killed may have left half a line.
                lines.Add((JsonNode)new JsonObject { ["error"] = "A line is damaged." });
            }
        }

        return lines;
    }

    /// <summary>Writes documents, a line each.</summary>
    public static void Write(Stream entry, IEnumerable<JsonNode?> lines, JavaScriptEncoder? encoder)
    {
        foreach (JsonNode? line in lines)
        {
            using (var writer = new Utf8JsonWriter(entry, new JsonWriterOptions { Encoder = encoder }))
            {
                (line ?? new JsonObject()).WriteTo(writer);
            }

            entry.WriteByte((byte)'\n');
        }
    }
}
