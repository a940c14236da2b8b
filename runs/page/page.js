const charts=JSON.parse(document.getElementById("charts").textContent);
const dark=window.matchMedia("(prefers-color-scheme: dark)");
function layoutOf(own){
  const look=getComputedStyle(document.documentElement),ink=look.getPropertyValue("--ink").trim();
  const grid=look.getPropertyValue("--line").trim(),narrow=window.innerWidth<600;
  const axis={gridcolor:grid,zerolinecolor:grid,linecolor:grid,automargin:true};
  const base={paper_bgcolor:"rgba(0,0,0,0)",plot_bgcolor:"rgba(0,0,0,0)",hovermode:"closest",
    font:{color:ink,size:narrow?10:12,family:"system-ui,-apple-system,Segoe UI,Roboto,Arial,sans-serif"},
    margin:{l:narrow?48:74,r:narrow?6:14,t:8,b:30},dragmode:narrow?false:"zoom",modebar:{bgcolor:"rgba(0,0,0,0)",color:look.getPropertyValue("--line").trim(),
    activecolor:ink},
    legend:{orientation:"h",x:0,y:1.02,yanchor:"bottom"},hoverlabel:{align:"left",bgcolor:look.getPropertyValue("--panel").trim(),font:{color:ink}}};
  const made={...base,...own};
  for(const key of new Set(["xaxis","yaxis",...Object.keys(own).filter(k=>/^[xy]axis/.test(k))]))made[key]={...axis,...own[key]};
  return made;
}
function draw(name){
  const place=document.getElementById("chart-"+name);
  Plotly.newPlot(place,charts[name].data,layoutOf(charts[name].layout||{}),{responsive:true,displaylogo:false,displayModeBar:window.innerWidth<600?false:"hover",
    modeBarButtons:[["zoom2d","pan2d","resetScale2d","toImage"]]});
}
const names=Object.keys(charts);
(function next(at){if(at<names.length){draw(names[at]);setTimeout(next,0,at+1);}else document.body.dataset.drawn=names.length;})(0);
dark.addEventListener("change",()=>names.forEach(draw));
