namespace MSOnlineBackup.Host.Rendering;

/// <summary>The first digits of an id: they tell the millisecond, so they are enough for people, and accepted wherever an id is.</summary>
internal static class ShortId
{
    /// <summary>The first twelve digits.</summary>
    public static string Of(string id) => id.Length <= 12 ? id : id[..12];
}
