namespace MSOnlineBackup.Host.Rendering;

/// <summary>The first digits of an id: enough for people, and accepted wherever an id is.</summary>
internal static class ShortId
{
    /// <summary>The first eight digits.</summary>
    public static string Of(string id) => id.Length <= 8 ? id : id[..8];
}
