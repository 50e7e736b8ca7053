namespace MSOnlineBackup.Mounts.WebDav;

/// <summary>A request that gets another answer than what it asks for.</summary>
/// <param name="status">The status of the answer.</param>
/// <param name="text">What is wrong, for people.</param>
/// <param name="endsConnection">Whether nothing that follows on the connection can be made sense of.</param>
internal sealed class HttpRefusal(int status, string text, bool endsConnection = false) : Exception(text)
{
    /// <summary>The status of the answer.</summary>
    public int Status => status;

    /// <summary>Whether the connection ends with the answer.</summary>
    public bool EndsConnection => endsConnection;

    /// <summary>Further headers of the answer.</summary>
    public IReadOnlyList<(string Name, string Value)> Headers { get; init; } = [];

    /// <summary>A body of XML instead of the text; null for none.</summary>
    public string? Xml { get; init; }

    /// <summary>A request that is none.</summary>
    public static HttpRefusal Malformed(string why) => new(400, $"The request is not valid: {why}.", endsConnection: true);
}
